import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/** Messages: payload.hpp, from Java. */
final class Payload {
    static final int PRODUCER_SHIFT = 56;
    static final long DAMAGED = -1;
    private static final int ROWS = 8;
    private static final int ROW = 64; // bytes

    private final int size;
    private final UnsafeBuffer table;
    private final long[] sums = new long[ROWS];

    Payload(int size) {
        this.size = size;
        table = new UnsafeBuffer(new byte[size + ROWS * ROW]);
        long value = 0x9e3779b97f4a7c15L;
        for (int i = 0; i < table.capacity(); i += 8) {
            value *= 0xd1342543de82ef95L;
            table.putLong(i, value);
        }
        for (int row = 0; row < ROWS; row++) {
            for (int i = 8; i < size; i += 8) {
                sums[row] += table.getLong(row * ROW + i);
            }
        }
    }

    void write(MutableDirectBuffer to, int offset, long stamp) {
        to.putBytes(offset, table, (int)(stamp & (ROWS - 1)) * ROW, size);
        to.putLong(offset, stamp);
    }

    /** The stamp, if this is the whole message. */
    long read(DirectBuffer from, int offset) {
        long sum = 0;
        for (int i = 0; i < size; i += 8) {
            sum += from.getLong(offset + i);
        }
        final long stamp = from.getLong(offset);
        return sum == sums[(int)(stamp & (ROWS - 1))] + stamp ? stamp : DAMAGED;
    }
}
