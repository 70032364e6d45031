import java.util.HashMap;
import java.util.Map;

/** What is to be done, from name=value arguments. */
final class Work {
    final String name;
    final String kind;
    final int size;
    final int touched;
    final int producers;
    final int consumers;
    final int seat;
    final String window;
    final String directory;

    Work(String[] arguments) {
        final Map<String, String> given = new HashMap<>();
        for (final String argument : arguments) {
            final int equals = argument.indexOf('=');
            if (equals > 0) {
                given.put(argument.substring(0, equals), argument.substring(equals + 1));
            }
        }
        name = given.get("work");
        kind = given.get("kind");
        size = Integer.parseInt(given.get("size"));
        touched = Integer.parseInt(given.get("touched"));
        producers = Integer.parseInt(given.get("producers"));
        consumers = Integer.parseInt(given.get("consumers"));
        seat = Integer.parseInt(given.get("seat"));
        window = given.get("window");
        directory = given.get("directory");
    }

    boolean roundTrip() {
        return kind.equals("round_trip");
    }

    boolean produces() {
        return seat < producers;
    }

    void backOff() {
        if (producers + consumers > 2) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }
}
