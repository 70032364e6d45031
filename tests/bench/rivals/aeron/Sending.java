import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.logbuffer.BufferClaim;
import org.agrona.concurrent.UnsafeBuffer;

/** Sends this process's messages, numbered. */
final class Sending {
    private final Work work;
    private final Payload payload;
    private final Publication shared;
    private final ExclusivePublication exclusive;
    private final BufferClaim claim = new BufferClaim();
    private final UnsafeBuffer whole; // of a message too large to be claimed
    private long stamp;
    private long sent = 0;

    Sending(Work work, Payload payload, Aeron aeron, String channel, int lane) throws InterruptedException {
        this.work = work;
        this.payload = payload;
        final boolean only = work.roundTrip() || work.name.endsWith("exclusive");
        exclusive = only ? aeron.addExclusivePublication(channel, 1000 + lane) : null;
        shared = only ? null : aeron.addPublication(channel, 1000 + lane);
        while (!(only ? exclusive.isConnected() : shared.isConnected())) {
            Thread.yield();
        }
        final int most = only ? exclusive.maxPayloadLength() : shared.maxPayloadLength();
        whole = work.size > most ? new UnsafeBuffer(new byte[work.size]) : null;
        stamp = work.produces() ? (long)work.seat << Payload.PRODUCER_SHIFT : 0;
    }

    void one() {
        if (whole != null) {
            payload.write(whole, 0, stamp);
            while ((exclusive != null ? exclusive.offer(whole) : shared.offer(whole)) < 0) {
                work.backOff();
            }
        } else {
            while ((exclusive != null ? exclusive.tryClaim(work.size, claim) : shared.tryClaim(work.size, claim)) < 0) {
                work.backOff();
            }
            payload.write(claim.buffer(), claim.offset(), stamp);
            claim.commit();
        }
        stamp++;
        sent++;
    }

    long sent() {
        return sent;
    }
}
