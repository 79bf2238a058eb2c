// SPDX-License-Identifier: Apache-2.0
// Copyright 2026 The mod_ocsp_cache authors
//
// What the status page does where scripts run: it renews itself, filters while you type, and sorts and turns pages without a reload. The
// server renders every filter, order and page; the script fetches the document and puts its parts ([data-part]) in place.
'use strict';
(() => {
    const PERIOD = 5000;
    const TYPING_PAUSE = 250;
    const live = document.getElementById('live');
    const form = document.querySelector('form.filter');
    const trouble = document.getElementById('trouble');
    let busy = null, timer = 0, typing = 0;

    const isOn = () => live.getAttribute('aria-pressed') === 'true' && document.visibilityState === 'visible';

    const plan = () => {
        clearTimeout(timer);
        if (isOn()) timer = setTimeout(refresh, PERIOD);
    };

    // A selector that finds an element again in another version of the page.
    const selectorOf = element => {
        if (!element) return null;
        if (element.id) return '#' + element.id;
        const target = element.getAttribute('href');
        return target && 'a[href="' + CSS.escape(target) + '"]';
    };

    // Replace the parts of this document by those of another one. The focus stays where it is.
    const show = other => {
        const focused = selectorOf(document.activeElement);
        for (const part of document.querySelectorAll('[data-part]')) {
            const fresh = other.getElementById(part.id);
            if (fresh) part.replaceWith(document.adoptNode(fresh));
        }
        document.title = other.title;
        const again = focused && document.activeElement === document.body && document.querySelector(focused);
        if (again) again.focus({preventScroll: true});
    };

    // remember: the method of history that enters the new address; before the answer, so that it is what is tried again. wanted: called
    // when the answer is there, because the page may have been paused meanwhile.
    const load = async (target, remember, wanted = () => true) => {
        clearTimeout(timer);
        if (busy) busy.abort();
        const mine = busy = new AbortController();
        try {
            if (remember) history[remember](null, '', target);
            const answer = await fetch(target, {cache: 'no-store', credentials: 'same-origin', signal: mine.signal});
            const other = new DOMParser().parseFromString(await answer.text(), 'text/html');
            if (!answer.ok || !other.querySelector('[data-part]')) throw new Error('HTTP status ' + answer.status);
            if (wanted()) show(other);
            if (trouble.textContent) trouble.textContent = '';
        } catch (error) {
            if (error.name === 'AbortError') return;
            trouble.textContent = 'The page could not be updated (' + error.message + ').' + (isOn() ? ' Trying again.' : '');
        }
        if (busy === mine) {
            busy = null;
            plan();
        }
    };

    // Not while text is selected: the user may be about to copy it.
    const refresh = () => String(getSelection()) ? plan() : load(location.href, null, isOn);

    const fillForm = () => {
        if (!form) return;
        const values = new URL(location.href).searchParams;
        for (const name of ['q', 'state', 'sort']) form.elements[name].value = values.get(name) || '';
        form.elements.attention.checked = values.get('attention') === '1';
    };

    const filter = remember => {
        const values = new URLSearchParams();
        for (const [name, value] of new FormData(form)) if (value) values.set(name, value);
        return load('?' + values, remember);
    };

    document.addEventListener('click', event => {
        const link = event.target.closest('a[data-go]');
        if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        load(link.href, 'pushState').then(fillForm);
    });
    addEventListener('popstate', () => load(location.href).then(fillForm));
    document.addEventListener('visibilitychange', () => isOn() ? refresh() : clearTimeout(timer));
    live.addEventListener('click', () => {
        const on = live.getAttribute('aria-pressed') !== 'true';
        live.setAttribute('aria-pressed', String(on));
        live.textContent = on ? 'Live' : 'Paused';
        if (on) refresh(); else clearTimeout(timer);
    });
    if (form) {
        const soon = () => {
            clearTimeout(typing);
            typing = setTimeout(() => filter('replaceState'), TYPING_PAUSE);
        };
        form.addEventListener('submit', event => {
            event.preventDefault();
            filter('pushState');
        });
        form.addEventListener('input', soon);
        form.addEventListener('change', soon);
    }

    // The notice of the last request must not come back with each refresh.
    const here = new URL(location.href);
    if (here.searchParams.has('notice')) {
        here.searchParams.delete('notice');
        history.replaceState(null, '', here.href);
    }
    live.hidden = false;
    plan();
})();
