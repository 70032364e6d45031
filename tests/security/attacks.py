"""What a stranger tries, a piece of code each. It runs behind stranger.py as `python3 -c`, with what is written in
TARGETS about the victims, and says what it was able to do; nothing, if all is well.

`able(what, action)`: action() is to fail, with an exception or as a reply that is not ok; else `what` was done.
"""

PRELUDE = r'''
import ctypes, fcntl, signal
libc = ctypes.CDLL(None, use_errno=True)
done = []

def able(what, action):
    try:
        outcome = action()
    except (OSError, ValueError):
        return
    if isinstance(outcome, Reply) and outcome.code != "ok":
        return
    done.append(what)

def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result

def readable(path):
    able(f"read {path}", lambda: open(path, "rb").read(1))

def writable(path):
    able(f"write to {path}", lambda: os.close(os.open(path, os.O_WRONLY)))

def ring_of(queue, handle=0, connection=None):
    return (connection or Connection()).ask("ring", queue=queue, handle=handle, number=1)

def can_write(fd):
    try:
        mmap.mmap(fd, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE).close()
        return True
    except (OSError, ValueError):
        return False

def flood(connection, packets, *, fds=(), size=None):
    """As many as it takes, without reading an answer."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    connection.socket.setblocking(False)
    sent = 0
    for packet in packets:
        try:
            connection.socket.sendmsg([packet], rights)
            sent += 1
        except OSError:
            time.sleep(0.0002)
    return sent

def packet(what, **fields):
    names = dict(queue=0, name="", handle=0, number=0, kind=0)
    names.update(fields)
    return REQUEST.pack(MAGIC, ASK[what], names["kind"], 1, names["queue"], names["handle"], 0, names["number"],
                        names["name"].encode(), 0, 0, 1 << 24, 65536, 10**9, 0, 0, 0, 0, 0o600, 0xFFFFFFFF)
'''
VERDICT = "\nsay(done)\n"

FILES = {
    "read the catalogue": "readable(STATE + '/catalogue')",
    "read the catalogue's log": "readable(STATE + '/catalogue-wal')",
    "write to the catalogue": "writable(STATE + '/catalogue')",
    "put another catalogue in its place": "able('it', lambda: os.rename('/etc/hostname', STATE + '/catalogue'))",
    "remove the catalogue": "able('it', lambda: os.unlink(STATE + '/catalogue'))",
    "list the state directory": "able('it', lambda: os.listdir(STATE))",
    "list the journals": "able('it', lambda: os.listdir(STATE + '/journal'))",
    "read a segment by its name": "readable(SEGMENT)",
    "write to a segment by its name": "writable(SEGMENT)",
    "make a file in the state directory":
        "able('it', lambda: os.open(STATE + '/x', os.O_CREAT | os.O_WRONLY))",
    "make a file in the journal": "able('it', lambda: os.open(STATE + '/journal/x', os.O_CREAT | os.O_WRONLY))",
    "hold the lock of the state directory": "readable(STATE + '/lock'); writable(STATE + '/lock')",
    "hold the lock of the socket": "writable(PATH + '.lock')",
    "remove the socket": "able('it', lambda: os.unlink(PATH))",
    "rename the socket": "able('it', lambda: os.rename(PATH, PATH + '.old'))",
    "remove the lock of the socket": "able('it', lambda: os.unlink(PATH + '.lock'))",
    "put a link where the next lock is made": "able('it', lambda: os.symlink('/etc/passwd', PATH + '.new'))",
    "listen at the socket's path": '''
fake = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
able("it", lambda: fake.bind(PATH))''',
    "listen beside it": '''
fake = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
able("it", lambda: fake.bind(os.path.dirname(PATH) + "/other.sock"))''',
    "change the socket's mode": "able('it', lambda: os.chmod(PATH, 0o777))",
}

PROCESSES = {
    "read the supervisor's memory": "readable(f'/proc/{SUPERVISOR}/mem')",
    "list the supervisor's descriptors": "able('it', lambda: os.listdir(f'/proc/{SUPERVISOR}/fd'))",
    "list the keeper's descriptors": "able('it', lambda: os.listdir(f'/proc/{KEEPER}/fd'))",
    "open the supervisor's descriptors": '''
for number in range(64):
    able("it", lambda: os.open(f"/proc/{SUPERVISOR}/fd/{number}", os.O_RDWR))''',
    "open what the supervisor maps": "able('it', lambda: os.listdir(f'/proc/{SUPERVISOR}/map_files'))",
    "read what the supervisor maps": "readable(f'/proc/{SUPERVISOR}/maps')",
    "read the supervisor's environment": "readable(f'/proc/{SUPERVISOR}/environ')",
    "trace the supervisor": "able('it', lambda: call('ptrace', 16, SUPERVISOR, 0, 0))",
    "kill the supervisor": "able('it', lambda: os.kill(SUPERVISOR, signal.SIGKILL))",
    "stop the keeper": "able('it', lambda: os.kill(KEEPER, signal.SIGSTOP))",
    "take a descriptor by its pidfd": '''
pidfd = os.pidfd_open(SUPERVISOR) if os.path.exists(f"/proc/{SUPERVISOR}") else -1
for number in range(64):
    able("it", lambda: call("syscall", 438, pidfd, number, 0))''',
    "read memory from process to process": '''
buffer = ctypes.create_string_buffer(8)
here = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
able("it", lambda: call("process_vm_readv", SUPERVISOR, here, 1, here, 1, 0))''',
    "starve the supervisor of its limits":
        "import resource; able('it', lambda: resource.prlimit(SUPERVISOR, resource.RLIMIT_NOFILE, (3, 3)))",
}

OTHERS = {
    "open another's queue": "able('it', lambda: Connection().ask('open', name='private'))",
    "see another's queue in the list": '''
reply = Connection().ask("list")
if reply.records != 1: done.append("it")''',
    "look at another's queue by its number": "able('it', lambda: Connection().ask('info', queue=PRIVATE))",
    "look at its groups": "able('it', lambda: Connection().ask('groups', queue=PRIVATE))",
    "look at its clients": "able('it', lambda: Connection().ask('clients', queue=PRIVATE))",
    "observe it": "able('it', lambda: Connection().ask('observe', queue=PRIVATE))",
    "send to it": "able('it', lambda: Connection().ask('produce', queue=PRIVATE))",
    "receive from it": "able('it', lambda: Connection().ask('consume', queue=PRIVATE, name='g'))",
    "map its ring": "able('it', lambda: ring_of(PRIVATE))",
    "map its ring as its producer": '''
for handle in range(1, 64):
    able("it", lambda: ring_of(PRIVATE, handle))''',
    "have its journal": "able('it', lambda: Connection().ask('journal', queue=PRIVATE, number=1))",
    "purge it": "able('it', lambda: Connection().ask('purge', queue=PRIVATE))",
    "remove it": "able('it', lambda: Connection().ask('remove', name='private'))",
    "remove its group": "able('it', lambda: Connection().ask('remove_group', queue=PRIVATE, name='g'))",
    "move its group": "able('it', lambda: Connection().ask('seek', queue=PRIVATE, name='g', number=9))",
    "change its options": "able('it', lambda: Connection().ask('set', queue=PRIVATE, kind=1))",
    "detach its producer": '''
c = Connection()
for handle in range(1, 64):
    c.ask("detach", queue=PRIVATE, handle=handle)''',  # answered; the victim says whether it worked
    "unmap its ring": '''
c = Connection()
for handle in range(1, 64):
    c.socket.send(packet("drop_ring", queue=PRIVATE, handle=handle, number=1))''',
    "find a queue by its number": '''
c = Connection()
for number in range(3000):
    if number != PUBLIC: able(f"queue {number}", lambda: c.ask("info", queue=number))
for bit in range(64):
    if 1 << bit != PUBLIC: able(f"queue 2^{bit}", lambda: c.ask("observe", queue=1 << bit))''',
    "make one of its name": "able('it', lambda: Connection().ask('create', name='private'))",
    "purge a public queue": "able('it', lambda: Connection().ask('purge', queue=PUBLIC))",
    "remove a public queue": "able('it', lambda: Connection().ask('remove', name='public'))",
    "remove a public queue's group":
        "able('it', lambda: Connection().ask('remove_group', queue=PUBLIC, name='victims'))",
    "change a public queue's options": "able('it', lambda: Connection().ask('set', queue=PUBLIC, kind=1))",
    "move a group that has members":
        "able('it', lambda: Connection().ask('seek', queue=PUBLIC, name='victims', number=9))",
    "write to a public ring as another's producer": '''
c = Connection()
for handle in range(1024):
    reply = ring_of(PUBLIC, handle, c)
    if reply.code == "ok" and can_write(reply.fds[0]): done.append(f"as handle {handle}")
    for fd in reply.fds: os.close(fd)''',
    "write to a public ring as its consumer": '''
c = Connection()
h = c.ask("consume", queue=PUBLIC, name="mine")
if can_write(ring_of(PUBLIC, h.handle, c).fds[0]): done.append("it")''',
    "keep a handle beyond its connection": '''
c = Connection()
h = c.ask("produce", queue=PUBLIC)
c.socket.close()
if can_write(ring_of(PUBLIC, h.handle).fds[0]): done.append("it")''',
    "detach a public queue's other clients": '''
c = Connection()
for handle in range(1024):
    c.ask("detach", queue=PUBLIC, handle=handle)''',
    "send one's dead letters to another's queue": '''
request = bytearray(packet("create", name="mine"))
request[232:239] = b"private"
c = Connection()
c.socket.send(bytes(request))
able("it", c.receive)''',
    "give a queue to a group that is not one's own":
        "able('it', lambda: Connection().ask('create', name='mine', group=12345))",
}

QUESTIONS = {
    "ask without a greeting": "able('it', lambda: Connection(greet=False).ask('list'))",
    "greet in another version":
        "able('it', lambda: Connection(greet=False).ask('hello', protocol=99, layout=4))",
    "go on after a refused greeting": '''
c = Connection(greet=False)
c.ask("hello", protocol=99, layout=4)
able("it", lambda: c.ask("list"))''',
    "name a queue as a path": '''
for name in ("../private", "/etc/passwd", "a/b", ".hidden", "..", "", "a b", "\\n"):
    able(name, lambda: Connection().ask("create", name=name))''',
    "name a group as a path": '''
c = Connection()
for name in ("../x", "/x", "a/b", ".x", "..", "a b"):
    able(name, lambda: c.ask("consume", queue=PUBLIC, name=name))''',
    "ask for a queue that cannot be": '''
c = Connection()
for capacity, slots in ((2**64 - 1, 64), (0, 64), (4096, 0), (4096, 2**64 - 1), (2**63, 2**63), (2**41, 64)):
    able(f"{capacity}, {slots}", lambda: c.ask("create", name="odd", capacity=capacity, slots=slots))''',
    "ask for modes that queues do not have": '''
for mode in (0o4666, 0o2666, 0o1666, 0o777, 0o10600, 2**32 - 1):
    able(oct(mode), lambda: Connection().ask("create", name="odd", mode=mode))''',
    "ask what there is no word for": '''
c = Connection()
for number in list(range(20, 64)) + [0, 255, 65535]:
    c.socket.send(struct.pack("<IHH", MAGIC, number, 0) + bytes(REQUEST.size - 8))
    able(f"request {number}", c.receive)''',
    "consume as no kind of group": '''
for kind in (2, 7, 255, 65535):
    able(f"kind {kind}", lambda: Connection().ask("consume", queue=PUBLIC, name="odd", kind=kind))''',
    "have what was done once done twice by the same number": '''
c = Connection()
if c.ask("create", name="twice").code != "ok": done.append("nothing at all")
able("it", lambda: c.ask("create", name="twice"))
c.ask("remove", name="twice")
able("it again", lambda: c.ask("remove", name="twice"))''',
    "replay another's request over another connection": '''
one, other = Connection(), Connection()
one.ask("create", name="replayed")
able("it", lambda: other.ask("create", name="replayed"))
one.ask("remove", name="replayed")
able("its removal", lambda: other.ask("remove", name="replayed"))''',
    "say to be somebody else": '''
c = Connection()
for pid in (os.getpid(), 1, SUPERVISOR):
    forged = [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack("iII", pid, 0, 0))]
    able("it", lambda: c.socket.sendmsg([packet("open", name="private")], forged) and c.receive())''',
}

MAPS = {
    "write to the manifest": '''
h = Connection().ask("produce", queue=PUBLIC)
if can_write(h.fds[0]): done.append("it")
able("by a call", lambda: os.pwrite(h.fds[0], b"x", 0))''',
    "open the manifest again for writing": '''
h = Connection().ask("produce", queue=PUBLIC)
able("it", lambda: os.open(f"/proc/self/fd/{h.fds[0]}", os.O_RDWR))''',
    "make the manifest's map writable": '''
h = Connection().ask("produce", queue=PUBLIC)
libc.mmap.restype = ctypes.c_void_p
at = libc.mmap(None, ctypes.c_size_t(4096), 1, 1, h.fds[0], ctypes.c_long(0))
able("it", lambda: call("mprotect", ctypes.c_void_p(at), ctypes.c_size_t(4096), 3))''',
    "write to the groups as a producer": '''
h = Connection().ask("produce", queue=PUBLIC)
if can_write(h.fds[1]): done.append("it")
able("by a call", lambda: os.pwrite(h.fds[1], b"x", 0))''',
    "open the groups again for writing as a producer": '''
h = Connection().ask("produce", queue=PUBLIC)
able("it", lambda: os.open(f"/proc/self/fd/{h.fds[1]}", os.O_RDWR))''',
    "write to the ring as an observer": '''
ring = ring_of(PUBLIC)
if can_write(ring.fds[0]): done.append("it")
able("by a call", lambda: os.pwrite(ring.fds[0], b"x", 0))''',
    "open the ring again for writing as a consumer": '''
c = Connection()
h = c.ask("consume", queue=PUBLIC, name="mine")
ring = ring_of(PUBLIC, h.handle, c)
able("it", lambda: os.open(f"/proc/self/fd/{ring.fds[0]}", os.O_RDWR))''',
    "cut off a segment that others map": '''
c = Connection()
h = c.ask("produce", queue=PUBLIC)
for fd in h.fds[:3] + [ring_of(PUBLIC, h.handle, c).fds[0]]:
    able("it", lambda: os.ftruncate(fd, 0))''',
    "make a segment longer": '''
c = Connection()
h = c.ask("produce", queue=PUBLIC)
able("it", lambda: os.ftruncate(ring_of(PUBLIC, h.handle, c).fds[0], 1 << 30))''',
    "seal a segment against those who write to it": '''
c = Connection()
h = c.ask("produce", queue=PUBLIC)
for seal in (1, 2, 4, 8, 16):
    able(f"seal {seal}", lambda: fcntl.fcntl(ring_of(PUBLIC, h.handle, c).fds[0], 1033, seal))''',
    "let others open a segment": '''
c = Connection()
h = c.ask("produce", queue=PUBLIC)
for fd in h.fds[:3] + [ring_of(PUBLIC, h.handle, c).fds[0]]:
    able("it", lambda: os.fchmod(fd, 0o666))''',
    "punch a hole into the manifest": '''
h = Connection().ask("produce", queue=PUBLIC)
able("it", lambda: call("fallocate", h.fds[0], 3, ctypes.c_long(0), ctypes.c_long(4096)))''',
    "drop the manifest's pages": '''
h = Connection().ask("produce", queue=PUBLIC)
libc.mmap.restype = ctypes.c_void_p
at = libc.mmap(None, ctypes.c_size_t(4096), 1, 1, h.fds[0], ctypes.c_long(0))
able("it", lambda: call("madvise", ctypes.c_void_p(at), ctypes.c_size_t(4096), 9))''',
    "have the journal of a queue to write to": '''
reply = Connection().ask("journal", queue=PUBLIC, number=1)
if reply.code == "ok":
    if can_write(reply.fds[0]): done.append("it")
    able("by a call", lambda: os.pwrite(reply.fds[0], b"x", 0))
    able("opened again", lambda: os.open(f"/proc/self/fd/{reply.fds[0]}", os.O_RDWR))''',
}

FLOODS = {
    "fill it with descriptors": '''
for _ in range(50):
    flood(Connection(), [packet("list")] * 20, fds=[0, 1, 2, 0, 1, 2, 0])''',
    "send more descriptors than it reads": '''
for _ in range(50):
    flood(Connection(), [packet("list")], fds=[0] * 253)''',
    "ask without ever reading": "flood(Connection(), [packet('list')] * 20_000)",
    "fall silent in the middle of many greetings": '''
held = []
for _ in range(2000):
    try: held.append(Connection(greet=False))
    except OSError: break''',
    "connect and leave, over and over": '''
for _ in range(3000):
    try: Connection(greet=False).socket.close()
    except OSError: pass''',
    "send packets of every length": '''
for size in list(range(0, 400, 7)) + [4096, 65536, 200_000]:
    flood(Connection(), [os.urandom(size)])''',
    "close one half and ask on": '''
for half in (socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR):
    c = Connection()
    c.socket.shutdown(half)
    flood(c, [packet("list")] * 50)''',
    "take all queues": '''
c = Connection()
made = [c.ask("create", name=f"flood{n}", capacity=4096, slots=64).code for n in range(40)]
if made.count("ok") > 32: done.append(f"{made.count('ok')} of 32")
for n in range(40): c.ask("remove", name=f"flood{n}")''',
    "take all memory": '''
c = Connection()
made = [c.ask("create", name=f"large{n}", capacity=1 << 23, prealloc=1).code for n in range(12)]
if made.count("ok") > 5: done.append(f"{made.count('ok')} of 64 MiB")
for n in range(12): c.ask("remove", name=f"large{n}")''',
    "take all places in a queue": '''
c = Connection()
taken = [c.ask("produce", queue=PUBLIC).code for _ in range(1100)]
if taken.count("ok") > 1023: done.append("more than there are")''',
    "take all groups of a queue": '''
c = Connection()
taken = [c.ask("consume", queue=PUBLIC, kind=1).code for _ in range(140)]
if taken.count("ok") > 127: done.append("more than there are")''',
}

ALL = FILES | PROCESSES | OTHERS | QUESTIONS | MAPS | FLOODS
