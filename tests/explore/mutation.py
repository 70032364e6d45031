"""Mutants of C++ sources: which there are, and a source in which every function has all of its forms.

Sources are read as far as formatting makes it easy: functions with their bodies, statements, calls. What a mutant changes:

    order        a memory order, weakened by one step
    done, failed the result of a compare-and-swap that is looked at: what came of it is taken for done, or for failed
    removed      a statement: a call, an assignment, an `if` or a loop with what it governs, one branch of an `if`
"""

import dataclasses
import re

# What a kind of access may be weakened to.
WEAKER = {"load": {"seq_cst": "acquire", "acquire": "relaxed"},
          "store": {"seq_cst": "release", "release": "relaxed"},
          "change": {"seq_cst": "acq_rel", "acq_rel": "relaxed", "acquire": "relaxed", "release": "relaxed"}}
HIDDEN = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'|^[ \t]*#[^\n]*", re.DOTALL | re.MULTILINE)
SCOPE = re.compile(r"(?:(?:public|private|protected)\s*:\s*|template\s*<[^{]*?>\s*)*(?:inline\s+)?"
                   r"(?:namespace|class|struct|enum|union|extern)\b")
FUNCTION = re.compile(r"\)\s*(?:(?:const|noexcept|override|final|mutable)\b\s*|->\s*[\w:<>*& ]+)*$")
NAME = re.compile(r"([\w~]+|operator[^\s(]+)\s*\(")
LABEL = re.compile(r"(?:case\b(?:[^:;{}]|::)+|default\s*):(?!:)")
SWAP = re.compile(r"\b(?:compare_exchange_(?:weak|strong)|compare_and_swap|swap_gone|swap)\s*\(")
ORDER = re.compile(r"\bstd::memory_order_(\w+)")
ACCESS = re.compile(r"\b(load|store|exchange|fetch_add|compare_exchange_(?:weak|strong)|fence)\s*$")
# What is no use to remove: without it nothing can be compiled, or the function has no end.
KEPT = re.compile(r"(?:return|break|continue|throw|using|static_assert|goto|delete)\b|for \(;;\)|while \(true\)")
DECLARED = re.compile(r"(?:const|constexpr|static|auto|unsigned)\b|[\w:]+(?:<[^;=]*?>)?\s*[&*]?\s+[&*]?\w+\s*(?:[={;(\[]|$)")


@dataclasses.dataclass(frozen=True)
class Mutant:
    path: str
    function: str
    change: str   # "seq_cst to acquire", "taken for done", "removed"
    text: str     # what is changed, or the line that it is in, in one line
    begin: int    # [begin, end) of the source becomes `becomes`
    end: int
    becomes: str

    @property
    def key(self):
        return self.path, self.function, self.change, self.text

    def __str__(self):
        return f"{self.path.removeprefix('lib/')}: {self.function}: {self.change}: {self.text}"


def hidden(text):
    """The text without comments, literals and directives: blanks stand for them."""
    return HIDDEN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def closing(code, at):
    """Of the bracket at `at`."""
    depth = 0
    for i in range(at, len(code)):
        if code[i] in "([{":
            depth += 1
        elif code[i] in ")]}":
            depth -= 1
            if depth == 0:
                return i
    raise ValueError("a bracket without an end")


def opening(code, at):
    depth = 0
    for i in range(at, -1, -1):
        if code[i] in ")]}":
            depth += 1
        elif code[i] in "([{":
            depth -= 1
            if depth == 0:
                return i
    raise ValueError("a bracket without a begin")


@dataclasses.dataclass(frozen=True)
class Function:
    name: str
    returns: bool
    begin: int  # of the body, behind its brace
    end: int    # at its closing brace


def functions(code):
    at = start = 0
    while at < len(code):
        char = code[at]
        if char in ";}":
            start = at + 1
        elif char == "(":
            at = closing(code, at)
        elif char == "{":
            head = code[start:at].strip()
            if SCOPE.match(head):
                start = at + 1
            else:
                end = closing(code, at)
                if FUNCTION.search(head):
                    name = NAME.search(head)
                    before = head[:name.start()]
                    returns = bool(before.strip()) and not re.search(r"\bvoid\s*(?:[\w]+::)*$", before)
                    yield Function(name[1], returns, at + 1, end)
                    start = end + 1
                at = end
        at += 1


class Statements:
    """[begin, end) of each statement in a body that can be removed."""

    def __init__(self, code, begin, end):
        self.code, self.found = code, []
        self.block(begin, end)

    def skip(self, at):
        while self.code[at].isspace():
            at += 1
        return at

    def block(self, at, end):
        while (at := self.skip(at)) < end:
            label = LABEL.match(self.code, at)
            at = label.end() if label else self.statement(at)

    def statement(self, at, alone=True):
        """Returns its end. `alone`: what governs it does not go with it."""
        code = self.code
        if code[at] == "{":
            end = closing(code, at)
            inside = code[at + 1:end].strip()
            if alone or inside.count(";") > 1:
                self.block(at + 1, end)
            return end + 1
        word = re.compile(r"\w*").match(code, at)[0]
        if word in ("if", "for", "while", "switch"):
            return self.governed(at, word)
        if word in ("try", "catch", "else", "do"):
            return self.statement(self.skip(code.index("{", at)))
        end = at
        while code[end] != ";":
            end = closing(code, end) + 1 if code[end] in "([{" else end + 1
        end += 1
        text = code[at:end]
        if alone and text != ";" and not KEPT.match(text) and not DECLARED.match(text):
            self.found.append((at, end))
        self.lambdas(at, end)
        return end

    def governed(self, at, word):
        code = self.code
        condition = code.index("(", at)
        after = closing(code, condition)
        self.lambdas(condition + 1, after)
        branch = self.skip(after + 1)
        while code.startswith("[[", branch):
            branch = self.skip(code.index("]]", branch) + 2)
        otherwise = re.compile(r"\s*else\b\s*").match(code, self.end_of(branch)) if word == "if" else None
        end = self.statement(branch, otherwise is not None)
        if otherwise:
            end = self.statement(otherwise.end())
        elif word != "switch" and not KEPT.match(code, at):
            self.found.append((at, end))
        return end

    def end_of(self, at):
        """Of the statement at `at`, without a look at what is in it."""
        found, self.found = self.found, []
        end = self.statement(at)
        self.found = found
        return end

    def lambdas(self, begin, end):
        for brace in re.finditer(r"\{", self.code[begin:end]):
            at = begin + brace.start()
            if FUNCTION.search(self.code[begin:at]) and not self.code[begin:at].rstrip().endswith("]"):
                self.block(at + 1, closing(self.code, at))


def begin_of_call(code, at):
    """Where the expression begins whose last name is at `at`: a->b(c).d is one."""
    while before := re.search(r"(?:\.|->|::)\s*$", code[:at]):
        at = before.start()
        while code[at - 1] in ")]":
            at = opening(code, at - 1)
        at = re.search(r"\w*$", code[:at]).start()
    return at


def access_of(code, at):
    """What kind of access the order at `at` belongs to."""
    depth = 0
    for i in range(at, -1, -1):
        if code[i] in ")]}":
            depth += 1
        elif code[i] in "([{":
            if depth == 0:
                called = ACCESS.search(code[:i])
                return {"load": "load", "store": "store"}.get(called[1], "change") if called else None
            depth -= 1
    return None


def in_one_line(text):
    joined = " ".join(re.sub(r"//[^\n]*", "", text).split())
    return joined if len(joined) <= 120 else joined[:117] + "..."


def mutants(path, text, chosen):
    """All of the functions whose names `chosen` holds true."""
    code = hidden(text)
    seen = {}

    def made(function, change, shown, begin, end, becomes):
        key = function.name, change, in_one_line(shown)
        seen[key] = seen.get(key, 0) + 1
        nth = f" #{seen[key]}" if seen[key] > 1 else ""
        return Mutant(path, function.name, change + nth, key[2], begin, end, becomes)

    for function in functions(code):
        if not chosen(function.name):
            continue
        body = code[function.begin:function.end]

        def line(at):
            begin = code.rindex("\n", 0, at) + 1
            return code[max(begin, function.begin):min(code.index("\n", at), function.end)]

        for order in ORDER.finditer(body):
            at = function.begin + order.start()
            weaker = WEAKER.get(access_of(code, at), {}).get(order[1])
            if weaker:
                yield made(function, f"{order[1]} to {weaker}", line(at), at, function.begin + order.end(),
                           f"explore::reached(std::memory_order_{weaker})")
        for swap in SWAP.finditer(body):
            at = function.begin + swap.start()
            begin, end = begin_of_call(code, at), closing(code, function.begin + swap.end() - 1) + 1
            if code[:begin].rstrip()[-1] in ";{}" and code[end:].lstrip()[0] == ";":
                continue  # nobody looks at it: to remove it is another mutant
            for change, value in (("taken for done", "true"), ("taken for failed", "false")):
                yield made(function, change, text[begin:end], begin, end,
                           f"explore::reached(({text[begin:end]}, {value}))")
        for begin, end in Statements(code, function.begin, function.end).found:
            yield made(function, "removed", text[begin:end], begin, end, "explore::reached();")


def with_forms(text, chosen):
    """The source in which each function has all the forms that `chosen`, [(number, mutant)], give it, and takes the one
    whose number explore::mutant is."""
    code = hidden(text)
    result, done = ['#include "mutant.hpp"\n'], 0
    for function in functions(code):
        here = [(number, m) for number, m in chosen if function.begin <= m.begin < function.end]
        if not here:
            continue
        result += [text[done:function.begin], "\nswitch (explore::mutant) {\n"]
        # Whoever comes to the end of what has to return something has lost its way.
        end = "__builtin_trap();" if function.returns else "break;"
        for number, m in here:
            form = text[function.begin:m.begin] + m.becomes + text[m.end:function.end]
            result.append(f'case {number}: {{\n#line 1 "mutant-{number}"\n{form}\n}} {end}\n')
        line = text.count("\n", 0, function.begin) + 1
        result.append(f'default: {{\n#line {line} "as it is"\n{text[function.begin:function.end]}\n}}\n}}\n')
        done = function.end
    return "".join(result) + text[done:]
