#!/usr/bin/python3
"""Runs a program as on a kernel that does not have some system calls, by a seccomp filter.

    without.py CALL[@FLAG][=ERROR]... -- PROGRAM ARGUMENT...

CALL fails with ERROR (ENOSYS); with @FLAG only where its second argument has these bits, @N:VALUE where its Nth
argument (from 0) is VALUE. For example futex_waitv, memfd_create@8=EINVAL, getsockopt@2:77=ENOPROTOOPT.
"""

import ctypes
import errno
import os
import sys

ALLOW, REFUSE = 0x7FFF0000, 0x00050000
EQUAL, MASKED_EQUAL = 4, 7
NUMBERS = {"futex_waitv": 449, "close_range": 436, "pidfd_open": 434, "pidfd_getfd": 438}  # a library may be older


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("first", ctypes.c_uint64),
                ("second", ctypes.c_uint64)]


def comparison(text):
    if ":" in text:
        argument, value = map(int, text.split(":"))
        return Comparison(argument, EQUAL, value, 0)
    return Comparison(1, MASKED_EQUAL, int(text), int(text))


def refuse(library, context, rule):
    call, _, error = rule.partition("=")
    name, _, condition = call.partition("@")
    number = NUMBERS.get(name)
    if number is None:
        number = library.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        sys.exit(f"without.py: there is no system call {name}")
    action = REFUSE | (getattr(errno, error) if error else errno.ENOSYS)
    comparisons = (Comparison * 1)(comparison(condition)) if condition else None
    if library.seccomp_rule_add_array(context, action, number, len(comparisons or ()), comparisons) != 0:
        sys.exit(f"without.py: {rule} cannot be refused")


def main():
    end = sys.argv.index("--")
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(ALLOW)))
    for rule in sys.argv[1:end]:
        refuse(library, context, rule)
    if library.seccomp_load(context) != 0:
        sys.exit("without.py: the filter cannot be loaded")
    os.execvp(sys.argv[end + 1], sys.argv[end + 1:])


if __name__ == "__main__":
    main()
