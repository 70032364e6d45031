# What a process knows that has read docs/memory-layout.md and has a socket. It runs as `python3 -c`, behind
# the two versions of the present release (LAYOUT, PROTOCOL).
import array, errno, json, mmap, os, random, socket, struct, sys, time

PATH = sys.argv[1]
REQUEST = struct.Struct("<IHHQQIIQ120sIIQQQQBBBxII4x160x")
REPLY = struct.Struct("<IHBBQQIHHQQQQ512s")
MAGIC = 0x4C525053
ASKS = "hello create open list remove info groups produce consume observe ring detach drop_ring purge remove_group clients journal seek set"
ASK = {name: number for number, name in enumerate(ASKS.split(), 1)}
CODES = ("ok full empty timeout interrupted stale closed deleted poisoned corrupt too_large invalid not_found exists "
         "denied no_memory busy unavailable version_mismatch unsupported forked internal").split()


class Reply:
    def __init__(self, packet, fds):
        fields = REPLY.unpack(packet[:REPLY.size])
        self.code, self.records = CODES[fields[2]], fields[3]
        self.queue, self.handle, self.slots, self.arena = fields[5], fields[6], fields[10], fields[11]
        self.text, self.fds = fields[13].rstrip(b"\0").decode(), fds


class Connection:
    def __init__(self, greet=True):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(60)
        self.socket.connect(PATH)
        if greet:
            self.greeting = self.ask("hello", protocol=PROTOCOL, layout=LAYOUT)

    def ask(self, what, queue=0, name="", handle=0, number=0, kind=0, protocol=0, layout=0, capacity=1 << 24,
            slots=65536, mode=0o600, group=0xFFFFFFFF, prealloc=0, full=0):
        self.socket.send(REQUEST.pack(MAGIC, ASK[what], kind, 1, queue, handle, 0, number, name.encode(), protocol,
                                      layout, capacity, slots, 10**9, 0, full, 0, prealloc, mode, group))
        return self.receive()

    def receive(self):
        packet, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(8 * 4))
        if not packet:
            raise ConnectionResetError("closed")
        fds = array.array("i")
        for _, _, data in control:
            fds.frombytes(data)
        return Reply(packet, list(fds))


def attempt(action):
    """The name of the error that it ends with; "done" where there is none."""
    try:
        action()
        return "done"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except ValueError as error:
        return str(error)


def attempts_on(fd):
    """What cannot be done with a descriptor for reading."""
    size = os.fstat(fd).st_size
    return {
        "map for writing": attempt(lambda: mmap.mmap(fd, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE)),
        "write": attempt(lambda: os.pwrite(fd, b"x", 0)),
        "open again": attempt(lambda: os.open(f"/proc/self/fd/{fd}", os.O_RDWR)),
        "truncate": attempt(lambda: os.ftruncate(fd, 0)),
        "punch": attempt(lambda: os.posix_fallocate(fd, 0, size)),
        "change mode": attempt(lambda: os.fchmod(fd, 0o666)),
    }


def say(what):
    print(json.dumps(what), flush=True)
