#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""ocsp-cachectl: its --help, its manual page and its completion for bash name the same commands and options.

* The help is the reference: `ocsp-cachectl --help` and `ocsp-cachectl COMMAND --help`.
* tools/ocsp-cachectl.8: a subsection (.Ss) for each command, in which each option is an item (.It Fl f , -file Ar
  PATH); a line of the synopsis for each, with the same arguments and options. mandoc finds nothing wrong with it.
* tools/ocsp-cachectl.bash: what it completes in a real bash, with the bash-completion package.
* The values of `list --state` and `list --sort`: in src/view/query.c, in the help, in its error, in the manual page and in the completion.
* What `probe` takes for the server's default settings (tools/ctl_probe_query.c) is what src/server/settings.c holds.
"""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE, COMPLETION = "tools/ocsp-cachectl.8", "tools/ocsp-cachectl.bash"
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"
COMMON = "Options of all commands"

problems = []


def run(*command, **more):
    return subprocess.run([str(word) for word in command], cwd=TOP, stdout=subprocess.PIPE, text=True, check=False,
                          **more).stdout


def options_in(help_text):
    """{(letter or "", name, value or "")}"""
    return {(letter or "", name, value or "") for letter, name, value in
            re.findall(r"^  (?:-(\w), |    )--([a-z-]+)(?: (\S+))?  ", help_text, re.M)}


def from_program(program):
    """-> {command: (arguments, its own options, all of its options)}, {the common options}"""
    overview = run(program, "--help")
    common = options_in(overview)
    commands = {}
    for name, arguments in re.findall(r"^  ([a-z]+) (.*?)  ",
                                      overview.partition("\nCommands:\n")[2].partition("\n\n")[0], re.M):
        options = options_in(run(program, name, "--help"))
        commands[name] = (arguments.strip(), options - common, options)
    if not commands or not common:
        problems.append(f"{program} --help: no command or option found: is it printed otherwise now?")
    return commands, common


def plain(line):
    """A line of mdoc's synopsis as the help would have it: 'Op Ar HOST Ns | Ns Ar SERIAL ...' -> '[HOST|SERIAL...]'"""
    words = re.sub(r" Ns ?", "\0", line.lstrip(".")).replace(" \0", "\0").replace("\0 ", "\0")
    optional = words.startswith("Op ")
    words = re.sub(r"\b(Op|Ar|Fl) ", "", words).replace("\0", "").replace(" ...", "...")
    words = re.sub(r"(^|\|)-(?=[a-z])", r"\1--", words)
    return f"[{words}]" if optional else words


def from_page():
    text = (TOP / PAGE).read_text()
    sections = {title: body for title, body in re.findall(r"^\.Ss (.*)\n((?:(?!\.S[sh] ).*\n)*)", text, re.M)}
    options = {title: {(letter or "", name, re.sub(r" Ns \| Ns Ar ", "|", value or "")) for letter, name, value in
                       re.findall(r"^\.It Fl (?:(\w) , )?-([a-z-]+)(?: Ar (.*))?$", body, re.M)}
               for title, body in sections.items()}
    synopsis = {}
    for block in text.partition(".Sh SYNOPSIS\n")[2].partition(".Sh ")[0].split(".Nm\n")[1:]:
        name, *lines = block.splitlines()
        named = {word for line in lines for word in re.findall(r"(?:Fl |\| )(-?[a-z-]+)", line)}
        arguments = " ".join(plain(line) for line in lines if not line.startswith(".Op Fl"))
        synopsis[name.removeprefix(".Cm ")] = (arguments, named)
    return options, synopsis


def compare_page(commands, common):
    options, synopsis = from_page()
    for name, expected in [(COMMON, common), *((name, own) for name, (_, own, _) in commands.items())]:
        for offence, what in [(expected - options.get(name, set()), "is not in it"),
                              (options.get(name, set()) - expected, "is not in the help")]:
            for letter, option, value in sorted(offence):
                problems.append(f"{PAGE}: {name}: -{letter or '-'} --{option} {value} {what}")
    for title in (set(options) | set(synopsis)) - set(commands) - {COMMON}:
        problems.append(f"{PAGE}: there is no command {title}")
    for name, (arguments, own, _) in commands.items():
        if name not in synopsis or name not in options:
            problems.append(f"{PAGE}: {name} has no line in the synopsis, or no section")
            continue
        if synopsis[name][0] != arguments:
            problems.append(f"{PAGE}: synopsis: {name} {synopsis[name][0]}; in the help: {arguments}")
        mentioned = {letter or f"-{option}" for letter, option, _ in own}
        extra = synopsis[name][1] - mentioned - {letter for letter, _, _ in common} \
            - {"-" + option for _, option, _ in own}
        missing = {(letter, option) for letter, option, _ in own if not {letter, f"-{option}"} & synopsis[name][1]}
        if extra or missing:
            problems.append(f"{PAGE}: synopsis: {name}: too much: {sorted(extra)}, missing: {sorted(missing)}")


def check_mandoc():
    for line in run("mandoc", "-Tlint", PAGE, stderr=subprocess.STDOUT).splitlines():
        if "referenced manual not found" not in line and "mandoc.db" not in line:  # which pages this machine has
            problems.append(line.removeprefix("mandoc: "))


def complete(program, *words):
    script = (f'. {BASH_COMPLETION}; . "$PWD/{COMPLETION}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              'COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; _ocsp_cachectl "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return set(run("bash", "--norc", "-c", script, "bash", program, *words).split())


def compare_completion(program, commands, common):
    def offend(where, completed, expected):
        if completed != expected:
            problems.append(f"{COMPLETION}: {where}: {sorted(completed)}; in the help: {sorted(expected)}")
    offend("commands", complete(program, ""), set(commands))
    offend("options", complete(program, "-"), {f"--{name}" for _, name, _ in common})
    for command, (_, _, options) in commands.items():
        offend(command, complete(program, command, "-"), {f"--{name}" for _, name, _ in options})


def compare_values(program):
    def offend(where, found, expected):
        if found != expected:
            problems.append(f"{where}: {sorted(found)}; in src/view/query.c: {sorted(expected)}")
    source = (TOP / "src/view/query.c").read_text()
    for option, names in (("state", "group_names"), ("sort", "sort_names")):
        expected = set(re.findall(r'"([a-z-]+)"', re.search(names + r"\[.*?\{(.*?)\};", source, re.S)[1]))
        line = re.search(rf"--{option} [A-Z]+ +[^:]*: ([^;\n]*)", run(program, "list", "--help"))[1]
        offend(f"{program} list --help: --{option}", set(re.findall(r"[a-z-]+", line)) - {"or"}, expected)
        error = run(program, "list", "--json", f"--{option}", "?")
        error = re.search(r"is not (.*?)(?:, nor .*)?\"", error)[1]
        offend(f"{program} list --{option} ?", set(re.findall(r"[a-z-]+", error)) - {"or"}, expected)
        item = re.search(rf"^\.It Fl (?:\w , )?-{option} .*\n((?:(?!\.It|\.El|with$).*\n)*)", (TOP / PAGE).read_text(), re.M)[1]
        offend(f"{PAGE}: --{option}", set(re.findall(r"^\.Ql ([a-z-]+)", item, re.M)), expected)
        offend(f"{COMPLETION}: --{option}", complete(program, "list", f"--{option}", ""), expected)


def compare_defaults():
    def fields(path, pattern):
        return dict(re.findall(r"\.(\w+) = ([^,]+),", re.search(pattern, (TOP / path).read_text(), re.S)[1]))
    server = fields("src/server/settings.c", r"\} defaults = \{(.*?)\};")
    probe = fields("tools/ctl_probe_query.c", r"probe_defaults = \{(.*?)\};")
    for name, value in probe.items():
        if server.get(name) != value:
            problems.append(
                f"tools/ctl_probe_query.c: {name} = {value}, but {server.get(name)} in src/server/settings.c")


def main():
    if subprocess.run(["make", "-s", "all"], cwd=TOP, stdout=subprocess.DEVNULL, check=False).returncode != 0:
        sys.exit("make all: fails")
    program = TOP / run("make", "-s", "--no-print-directory", "print-CACHECTL").strip()
    commands, common = from_program(program)
    compare_page(commands, common)
    check_mandoc()
    compare_completion(program, commands, common)
    compare_values(program)
    compare_defaults()
    if problems:
        print("\n".join(problems))
        sys.exit(1)
    print(f"{len(commands)} commands, {len(common) + sum(len(own) for _, own, _ in commands.values())} options: the "
          "same in help, manual page and completion")


if __name__ == "__main__":
    main()
