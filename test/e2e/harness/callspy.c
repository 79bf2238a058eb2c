/* SPDX-License-Identifier: Apache-2.0
 * Copyright 2026 The mod_ocsp_cache authors
 *
 * A preloaded library for test_path.py. It wraps locks and OpenSSL's parsers, reads the caller's stack, and records
 * each kind of call once per process in the file $CALLSPY_LOG:
 *   "handshake NAME"  called by $CALLSPY_MODULE below OpenSSL's TLS code
 *   "module NAME"     called by $CALLSPY_MODULE elsewhere
 *   "tls NAME"        called below OpenSSL's TLS code by others
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH 64

static __thread int busy; /* this library's own code runs on this thread */
static atomic_int ready;

__attribute__((constructor)) static void prepare(void)
{
    void *frames[1];

    backtrace(frames, 1); /* loads the unwinder now, not inside a lock of the program */
    atomic_store(&ready, 1);
}

static void note(const char *kind, const char *name)
{
    const char *path = getenv("CALLSPY_LOG");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

    if (fd >= 0) {
        dprintf(fd, "%s %s\n", kind, name);
        close(fd);
    }
}

/* Where two libraries lie in memory. Looked up each time: modules come and go with the configuration. */
typedef struct {
    const char *names[2];
    uintptr_t begin[2], end[2];
} places_t;

static int find_place(struct dl_phdr_info *info, size_t size, void *data)
{
    places_t *places = data;

    (void)size;
    for (int n = 0; n < 2; n++) {
        if (!strstr(info->dlpi_name, places->names[n]))
            continue;
        for (int i = 0; i < info->dlpi_phnum; i++) {
            uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

            if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X)) {
                places->begin[n] = begin;
                places->end[n] = begin + info->dlpi_phdr[i].p_memsz;
            }
        }
    }
    return 0;
}

/* @a seen: a bit per kind, so that each is noted once per process and function. */
static void look(const char *name, atomic_int *seen)
{
    static const char *const kinds[] = {"handshake", "module", "tls"};
    places_t places = {.names = {getenv("CALLSPY_MODULE"), "libssl.so"}};
    void *frames[DEPTH];
    int in[2] = {0, 0}, kind, depth;

    if (busy || !atomic_load(&ready) || !places.names[0])
        return;
    busy = 1;
    dl_iterate_phdr(find_place, &places);
    depth = places.end[0] || places.end[1] ? backtrace(frames, DEPTH) : 0;
    for (int i = 0; i < depth; i++) {
        for (int n = 0; n < 2; n++)
            in[n] |= (uintptr_t)frames[i] >= places.begin[n] && (uintptr_t)frames[i] < places.end[n];
    }
    kind = in[0] && in[1] ? 0 : in[0] ? 1 : in[1] ? 2 : -1;
    if (kind >= 0 && !(atomic_fetch_or(seen, 1 << kind) & (1 << kind)))
        note(kinds[kind], name);
    busy = 0;
}

#define SPY(type, name, parameters, arguments)                  \
    type name parameters;                                       \
    type name parameters                                        \
    {                                                           \
        static atomic_int seen;                                 \
        static type(*_Atomic real) parameters;                  \
        if (!real)                                              \
            real = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
        look(#name, &seen);                                     \
        return real arguments;                                  \
    }

SPY(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
SPY(int, pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex))
SPY(int, pthread_mutex_timedlock, (pthread_mutex_t * mutex, const struct timespec *until), (mutex, until))
SPY(int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
SPY(int, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
SPY(int, pthread_spin_lock, (pthread_spinlock_t * lock), (lock))
SPY(int, sem_wait, (sem_t * sem), (sem))
SPY(void *, ASN1_item_d2i, (void **value, const unsigned char **in, long len, const void *item), (value, in, len, item))
SPY(void *, d2i_OCSP_RESPONSE, (void **value, const unsigned char **in, long len), (value, in, len))
SPY(void *, d2i_OCSP_BASICRESP, (void **value, const unsigned char **in, long len), (value, in, len))
SPY(void *, d2i_X509, (void **value, const unsigned char **in, long len), (value, in, len))
SPY(void *, d2i_ASN1_INTEGER, (void **value, const unsigned char **in, long len), (value, in, len))
SPY(void *, OCSP_response_get1_basic, (void *response), (response))
SPY(int, ASN1_get_object, (const unsigned char **in, long *len, int *tag, int *class_, long max),
    (in, len, tag, class_, max))
SPY(void *, PEM_read_bio_X509, (void *bio, void **x509, void *callback, void *arg), (bio, x509, callback, arg))
