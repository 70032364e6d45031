"""spillring create."""

from failures import assert_failure


def test_has_the_documented_defaults(spillring):
    spillring("create", "plain")
    info = spillring.info("plain")
    assert info["schema"] == "spillring.queue.v1"
    assert (info["name"], info["state"]) == ("plain", "ok")
    assert (info["capacity"], info["slots"]) == (16 << 20, 65536)
    assert (info["full"], info["keep"]) == ("block", "unread")
    assert (info["stall_timeout"], info["lease"], info["prealloc"]) == (1.0, 0.0, False)
    assert info["exclusive_producer"] is False
    assert info["messages"] == 0


def test_takes_every_option(spillring):
    spillring(
        "create", "tuned", "--capacity", "64MiB", "--slots", "1024", "--full", "reject",
        "--keep", "attached", "--stall-timeout", "250ms", "--lease", "1.5s", "--prealloc",
        "--exclusive-producer",
    )
    info = spillring.info("tuned")
    assert (info["capacity"], info["slots"]) == (64 << 20, 1024)
    assert (info["full"], info["keep"]) == ("reject", "attached")
    assert (info["stall_timeout"], info["lease"], info["prealloc"]) == (0.25, 1.5, True)
    assert info["exclusive_producer"] is True


def test_a_duration_without_end(spillring):
    spillring("create", "q", "--stall-timeout", "inf")
    assert spillring.info("q")["stall_timeout"] is None
    assert "stall_timeout\tinf\n" in spillring("info", "q").out


def test_sizes_in_every_spelling(spillring):
    sizes = {"1048576": 1 << 20, "1MiB": 1 << 20, "2M": 2 << 20, "1.5MiB": 3 << 19,
             "4MB": 4_000_000, "4096kB": 4_096_000, "2097152B": 2 << 20}
    for number, (text, value) in enumerate(sizes.items()):
        spillring("create", f"q{number}", "--capacity", text)
        capacity = spillring.info(f"q{number}")["capacity"]
        # A capacity may be rounded up to whole pages.
        assert value <= capacity < value + 4096, text


def test_the_last_of_two_equal_options_counts(spillring):
    spillring("create", "q", "--slots", "64", "--slots=128")
    assert spillring.info("q")["slots"] == 128


def test_an_existing_queue_is_refused(spillring, orders):
    spillring("send", orders, "kept")
    outcome = spillring("create", orders, code=73)
    assert_failure(outcome, "queue 'orders' exists already", hint="--if-not-exists")
    assert spillring("peek", orders).out == "kept\n"


def test_if_not_exists_leaves_an_existing_queue_as_it_is(spillring, orders):
    spillring("create", orders, "--if-not-exists", "--slots", "128")
    assert spillring.info(orders)["slots"] == 65536
    spillring("create", "fresh", "--if-not-exists", "--slots", "128")
    assert spillring.info("fresh")["slots"] == 128


def test_a_queue_cannot_spill_to_nowhere(spillring):
    outcome = spillring("create", "q", "--full", "spill", code=64)
    assert_failure(outcome, "this queue cannot spill", "--state-dir")
    assert spillring("ls", "--no-header").out == ""


def test_what_drops_is_no_dead_letter_queue(spillring):
    spillring("create", "drops", "--full", "drop-oldest")
    outcome = spillring("create", "q", "--dead-letter", "drops", code=64)
    assert_failure(outcome, "queue 'drops' drops its oldest messages", "another full policy")
    assert spillring.info("drops")["full"] == "drop-oldest"
