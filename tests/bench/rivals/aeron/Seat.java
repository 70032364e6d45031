import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.UnsafeBuffer;

/** A process's seat in the harness's window: window.hpp, from Java. */
final class Seat {
    private static final int PACE = 16;
    private static final int SEATS = 64;
    private static final int SEAT = 65536;
    private static final int READY = 0;
    private static final int DONE = 4;
    private static final int FAILED = 8;
    private static final int WRONG = 12;
    private static final int BEGAN = 16;
    private static final int ENDED = 24;
    private static final int SENT = 32;
    private static final int STAMP = 128;
    private static final int FAILURE = 192;
    private static final int HISTOGRAM = 512;
    private static final int FINE = 7; // bits of a duration that its class keeps
    private static final int CLASSES = (40 - FINE) << FINE;

    private final Work work;
    private final UnsafeBuffer all;
    private final int at;
    private final ProcessHandle parent = ProcessHandle.current().parent().orElseThrow();
    private int current = 0;

    Seat(Work work) throws IOException {
        this.work = work;
        try (RandomAccessFile file = new RandomAccessFile(work.window, "rw")) {
            MappedByteBuffer mapped =
                file.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, SEATS + 8 * SEAT);
            mapped.order(ByteOrder.LITTLE_ENDIAN);
            all = new UnsafeBuffer(mapped);
        }
        at = SEATS + work.seat * SEAT;
    }

    /** Naps until the next window begins. False: there is none. */
    boolean nextWindow() throws IOException, InterruptedException {
        if (current == 0) {
            pin(work.produces() ? 0 : 1);
            all.putIntVolatile(at + READY, 1);
        }
        while (all.getIntVolatile(0) == current) {
            if (all.getIntVolatile(8) != 0 || !parent.isAlive()) {
                return false;
            }
            LockSupport.parkNanos(100_000);
        }
        current = all.getIntVolatile(0);
        all.setMemory(at + HISTOGRAM, 8 * CLASSES, (byte)0);
        return true;
    }

    boolean stopping() {
        return all.getInt(4) >= current;
    }

    boolean drained(long received) {
        long sent = 0;
        for (int producer = 0; producer < work.producers; producer++) {
            final int seat = SEATS + producer * SEAT;
            if (all.getIntVolatile(seat + DONE) != current) {
                return false;
            }
            sent += all.getLong(seat + SENT);
        }
        return received == sent;
    }

    void began() {
        all.putLong(at + BEGAN, System.nanoTime());
    }

    void sent(long count) {
        all.putLong(at + SENT, count);
    }

    void finish(long ended) {
        all.putLong(at + ENDED, ended);
        all.putIntVolatile(at + DONE, current);
    }

    /** Picoseconds from one message of the window to the next; 0: as fast as possible. */
    long pace() {
        return all.getLongVolatile(PACE);
    }

    /** By a producer on schedule: when the window's first message is due. */
    void schedule(long start) {
        all.putLongVolatile(at + STAMP, start);
    }

    /** The same, as the one producer has it. */
    long scheduled() {
        return all.getLongVolatile(SEATS + STAMP);
    }

    /** The duration of a round trip, or how late a message is. */
    void add(long nanoseconds) {
        int index = (int)nanoseconds;
        if (nanoseconds >= 2L << FINE) {
            final int coarse = 63 - Long.numberOfLeadingZeros(nanoseconds) - FINE;
            index = Math.min((coarse << FINE) + (int)(nanoseconds >> coarse), CLASSES - 1);
        }
        final int word = at + HISTOGRAM + 8 * index;
        all.putLong(word, all.getLong(word) + 1);
    }

    void fail(String why, boolean wrong) {
        final byte[] text = why.getBytes(StandardCharsets.UTF_8);
        all.putBytes(at + FAILURE, text, 0, Math.min(text.length, 319));
        all.putIntVolatile(at + WRONG, wrong ? 1 : 0);
        all.putIntVolatile(at + FAILED, 1);
        Runtime.getRuntime().halt(1);
    }

    /** The calling thread alone. */
    private static void pin(int core) throws IOException, InterruptedException {
        final String thread = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString();
        new ProcessBuilder("taskset", "-pc", Integer.toString(core), thread)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor();
    }
}
