import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.BackoffIdleStrategy;

/**
 * Aeron for the bench. Run once for all processes of a work: this one is the media driver, and begins
 * another for each seat, which play as play.hpp has it.
 */
public final class Bench {
    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("play")) {
            play(new Work(arguments));
        } else {
            drive(arguments);
        }
    }

    private static void drive(String[] arguments) throws Exception {
        final Work work = new Work(arguments);
        final String window = "/proc/" + ProcessHandle.current().pid() + work.window.substring("/proc/self".length());
        final MediaDriver.Context context = new MediaDriver.Context()
            .aeronDirectoryName(driverDirectory(work))
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(new BackoffIdleStrategy())
            .termBufferSparseFile(false)
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true);
        try (MediaDriver driver = MediaDriver.launch(context)) {
            final List<Process> players = new ArrayList<>();
            for (int seat = 0; seat < work.producers + work.consumers; seat++) {
                final List<String> command = new ArrayList<>();
                command.add(ProcessHandle.current().info().command().orElse("java"));
                command.addAll(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
                command.addAll(List.of("-cp", System.getProperty("java.class.path"), "Bench", "play"));
                command.addAll(List.of(arguments));
                command.addAll(List.of("seat=" + seat, "window=" + window));
                players.add(new ProcessBuilder(command).inheritIO().start());
            }
            for (final Process player : players) {
                player.waitFor();
            }
        }
    }

    /** In memory, whatever the temporary directory lies on. */
    private static String driverDirectory(Work work) {
        final Path memory = Path.of("/dev/shm");
        final Path name = Path.of(work.directory).getFileName();
        return (Files.isWritable(memory) ? memory.resolve("aeron-" + name) : Path.of(work.directory, "aeron")).toString();
    }

    private static void play(Work work) throws Exception {
        final Seat seat = new Seat(work);
        try {
            final Payload payload = new Payload(work.touched);
            if (work.kind.equals("attach") && work.produces()) {
                arrive(seat, work, payload);
                return;
            }
            final Aeron aeron = connect(work);
            final String channel = channel(work);
            if (work.roundTrip() && work.produces()) {
                final Sending sending = new Sending(work, payload, aeron, channel, 0);
                ping(seat, sending, new Receiving(seat, work, payload, aeron, channel, 1));
            } else if (work.roundTrip()) {
                final Receiving receiving = new Receiving(seat, work, payload, aeron, channel, 0);
                pong(seat, new Sending(work, payload, aeron, channel, 1), receiving);
            } else if (work.produces()) {
                produce(seat, new Sending(work, payload, aeron, channel, 0));
            } else {
                consume(seat, work, new Receiving(seat, work, payload, aeron, channel, 0));
            }
            aeron.close();
        } catch (final Exception error) {
            seat.fail(error.toString(), false);
        }
    }

    private static Aeron connect(Work work) {
        return Aeron.connect(new Aeron.Context().aeronDirectoryName(driverDirectory(work)).preTouchMappedMemory(true));
    }

    private static String channel(Work work) {
        return CommonContext.IPC_CHANNEL + "?mtu=65504|term-length=" + (work.size >= 1 << 20 ? "16m" : "4m");
    }

    private static void produce(Seat seat, Sending sending) throws Exception {
        while (seat.nextWindow()) {
            seat.began();
            if (seat.pace() != 0) {
                produceOnSchedule(seat, sending);
            }
            while (!seat.stopping()) {
                sending.one();
            }
            seat.sent(sending.sent());
            seat.finish(System.nanoTime());
        }
    }

    /** What is due is sent, however late it is, and counts from when it was due. */
    private static void produceOnSchedule(Seat seat, Sending sending) {
        final double step = seat.pace() / 1000.0;
        final long start = System.nanoTime();
        seat.schedule(start);
        long number = 0;
        for (boolean over = false; !over;) {
            over = seat.stopping(); // what is due by now is still sent
            final long now = System.nanoTime();
            for (; start + (long)(number * step) <= now; number++) {
                sending.one();
            }
        }
    }

    private static void noteLateness(Seat seat, long number, long count) {
        final long now = System.nanoTime();
        final long start = seat.scheduled();
        final double step = seat.pace() / 1000.0;
        for (long end = number + count; number < end; number++) {
            seat.add(Math.max(0, now - start - (long)(number * step)));
        }
    }

    private static void consume(Seat seat, Work work, Receiving receiving) throws Exception {
        while (seat.nextWindow()) {
            long last = System.nanoTime();
            final long first = receiving.received();
            while (!seat.stopping() || !seat.drained(receiving.received())) {
                final long count = receiving.some();
                if (count == 0) {
                    work.backOff();
                    continue;
                }
                if (work.kind.equals("load")) {
                    noteLateness(seat, receiving.received() - first - count, count);
                }
                if (seat.stopping()) {
                    last = System.nanoTime();
                }
            }
            seat.finish(last);
        }
    }

    private static void ping(Seat seat, Sending sending, Receiving receiving) throws Exception {
        while (seat.nextWindow()) {
            seat.began();
            while (!seat.stopping()) {
                final long begin = System.nanoTime();
                sending.one();
                while (receiving.some() == 0) {
                    Thread.onSpinWait();
                }
                seat.add(System.nanoTime() - begin);
            }
            seat.sent(sending.sent());
            seat.finish(System.nanoTime());
        }
    }

    private static void pong(Seat seat, Sending sending, Receiving receiving) throws Exception {
        while (seat.nextWindow()) {
            while (!seat.stopping() || !seat.drained(receiving.received())) {
                if (receiving.some() != 0) {
                    sending.one();
                }
            }
            seat.finish(System.nanoTime());
        }
    }

    private static void arrive(Seat seat, Work work, Payload payload) throws Exception {
        if (seat.nextWindow()) {
            Thread.sleep(2);
            seat.began();
            final Aeron aeron = connect(work);
            final Sending sending = new Sending(work, payload, aeron, channel(work), 0);
            sending.one();
            seat.sent(sending.sent());
            seat.finish(System.nanoTime());
            seat.nextWindow(); // there is none: what was sent may need the sender until it is over
            aeron.close();
        }
    }
}
