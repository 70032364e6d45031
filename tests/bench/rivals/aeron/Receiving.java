import io.aeron.Aeron;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import org.agrona.DirectBuffer;

/** Receives messages and checks their bytes, their sizes and, for each producer, their order. */
final class Receiving {
    private final Seat seat;
    private final Work work;
    private final Payload payload;
    private final Subscription subscription;
    private final FragmentHandler handler;
    private final int limit;
    private final long[] expected = new long[8];
    private long received = 0;

    Receiving(Seat seat, Work work, Payload payload, Aeron aeron, String channel, int lane) {
        this.seat = seat;
        this.work = work;
        this.payload = payload;
        subscription = aeron.addSubscription(channel, 1000 + lane);
        handler = work.size > 65000 ? new FragmentAssembler(this::check) : this::check;
        limit = work.roundTrip() ? 10 : 256;
        while (!work.kind.equals("attach") && !subscription.isConnected()) {
            Thread.yield();
        }
    }

    /** How many there were. */
    long some() {
        final long before = received;
        subscription.poll(handler, limit);
        return received - before;
    }

    long received() {
        return received;
    }

    private void check(DirectBuffer from, int offset, int length, Header header) {
        final long stamp = length == work.size ? payload.read(from, offset) : Payload.DAMAGED;
        if (stamp == Payload.DAMAGED) {
            seat.fail("a message was damaged: its size or its sum is wrong", true);
        }
        final int producer = (int)(stamp >>> Payload.PRODUCER_SHIFT);
        if ((stamp & ((1L << Payload.PRODUCER_SHIFT) - 1)) != expected[producer]++) {
            seat.fail("a message was lost, repeated, or out of order", true);
        }
        received++;
    }
}
