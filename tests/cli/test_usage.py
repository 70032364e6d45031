"""Command lines that cannot be understood: exit code 64, three parts, and nothing changed."""

import pytest
from failures import assert_failure

VERBS = "create ls info stat send recv peek drain purge seek rm version".split()
LATER = ["top", "bench", "completion"]

BAD = [
    # sizes, counts, durations
    ("create q --capacity 12XB", "--capacity '12XB' is not a size", "64KiB"),
    ("create q --capacity -1", "--capacity '-1' is not a size", ""),
    ("create q --capacity=", "--capacity '' is not a size", ""),
    ("create q --capacity 1..5MiB", "is not a size", ""),
    ("create q --capacity 0.3", "is not a size", ""),
    ("create q --capacity 99999999999999999999", "is not a size", ""),
    ("create q --capacity 99999999TiB", "is not a size", ""),
    ("create q --capacity 0.%s1" % ("0" * 60), "is not a size", ""),
    ("create q --slots 1KiB", "--slots '1KiB' is not a whole number", "digits"),
    ("create q --slots 99999999999999999999", "is not a whole number", ""),
    ("create q --lease soon", "--lease 'soon' is not a duration", "500ms"),
    ("create q --stall-timeout 5y", "is not a duration", ""),
    ("create q --ttl soon", "--ttl 'soon' is not a duration", "500ms"),
    ("send q x --ttl 5y", "--ttl '5y' is not a duration", ""),
    ("send q x --ttl 0", "--ttl '0' is no time", "30s"),
    ("create q --stall-timeout 99999999999h", "is not a duration", ""),
    ("recv q -n 0", "--count '0' takes nothing", ""),
    ("recv q -n 1x", "--count '1x' is not a whole number", ""),
    ("recv q -n 99999999999999999999", "is not a whole number", ""),
    ("recv q -t -5s", "--wait '-5s' is not a duration", ""),
    ("drain q --max 0", "--max '0' takes nothing", ""),
    ("peek q --seq -1", "--seq '-1' is not a whole number", ""),
    ("ls --timeout 5x", "--timeout '5x' is not a duration", ""),
    # words
    ("create q --full blok", "--full does not know 'blok'", "did you mean 'block'?"),
    ("create q --keep nothing", "--keep does not know 'nothing'", ""),
    ("ls -o yaml", "--output does not know 'yaml'", ""),
    ("ls -o raw", "'ls' cannot write '-o raw'", ""),
    ("recv q -D \\q", "has an unknown escape", "\\n"),
    ("recv q -D \\x1", "has an unknown escape", ""),
    ("recv q --delimiter=", "--delimiter is empty", "-o raw"),
    ("send q m -H novalue", "--header 'novalue' is not a header", "content-type"),
    ("send q m -H =value", "--header '=value' is not a header", ""),
    # names
    ("create .hidden", "'.hidden' cannot be the name of a queue", ""),
    ("create a/b", "'a/b' cannot be the name of a queue", ""),
    ("create ../x", "'../x' cannot be the name of a queue", ""),
    ("create " + "n" * 121, "cannot be the name of a queue", ""),
    ("create ä", "'ä' cannot be the name of a queue", ""),
    ("rm good .bad -y", "'.bad' cannot be the name of a queue", ""),
    # what is missing, too much or misspelt
    ("create", "QUEUE is missing", "spillring create --help"),
    ("rm -y", "QUEUE is missing", ""),
    ("create q --capacity", "--capacity needs a value", ""),
    ("-S", "--socket needs a value", ""),
    ("info a b", "'b' is one argument too many", "spillring info --help"),
    ("info a ls", "'ls' is one argument too many", ""),
    ("create q --capcity 1MiB", "there is no option '--capcity'", "did you mean '--capacity'?"),
    ("create q --prealoc", "there is no option '--prealoc'", "did you mean '--prealloc'?"),
    ("recv q --xyzzy", "there is no option '--xyzzy'", "spillring recv --help"),
    ("send q --xyzzy", "there is no option '--xyzzy'", "put -- in front"),
    ("ls -x", "there is no option '-x'", ""),
    ("--frobnicate ls", "there is no option '--frobnicate'", "spillring --help"),
    ("sned q", "there is no verb 'sned'", "did you mean 'send'?"),
    ("craete q", "there is no verb 'craete'", "did you mean 'create'?"),
    ("xyzzy", "there is no verb 'xyzzy'", "spillring --help"),
    # what contradicts itself
    ("send q m -f /dev/null", "MSG and --file do not go together", ""),
    ("send q m --json", "MSG and --json do not go together", ""),
    ("send q -f /dev/null --json", "--file and --json do not go together", ""),
    ("send q --json --key k", "--json and --key", ""),
    ("send q m -D ,", "a delimiter and MSG do not go together", ""),
    ("send q -D , -0", "do not go together", ""),
    ("send q m --wait 1s --no-wait", "do not go together", ""),
    ("recv q --all -n 5", "do not go together", ""),
    ("recv q -o raw -0", "a delimiter and '-o' do not go together", ""),
]


@pytest.mark.parametrize("line, what, hint", BAD, ids=[case[0][:40] for case in BAD])
def test_bad_command_lines(lonely, line, what, hint):
    """They are refused before anybody is asked: there is no supervisor here."""
    assert_failure(lonely(*line.split(" "), code=64), what, hint)


@pytest.mark.parametrize("verb", LATER)
def test_later_verbs_are_refused_by_name(lonely, verb):
    for rest in ([], ["--help"], ["q", "--option"]):
        assert_failure(lonely(verb, *rest, code=64), f"'{verb}' is not in this version")


@pytest.mark.parametrize("option", ["--capacity", "--slots"])
@pytest.mark.parametrize("value", ["0", "18446744073709551615"])
def test_sizes_no_queue_can_have(spillring, option, value):
    outcome = spillring("create", "q", option, value, code=64)
    assert_failure(outcome, value)
    assert spillring("ls", "--no-header").out == ""


def test_names_that_are_odd_and_good(spillring):
    for name in ("-q", "--capacity", "a.b", "_", "0", "ls", "n" * 120):
        spillring("create", "--", name)
        spillring("send", "--", name, "m")
        assert spillring("recv", "--", name).out == "m\n"
        spillring("rm", "-y", "--", name)
    assert spillring("ls", "--no-header").out == ""


def test_missing_files_change_nothing(spillring, tmp_path):
    (tmp_path / "there").write_text("x")
    bad = [(tmp_path / "missing", "No such file"), (tmp_path, "Is a directory"),
           (tmp_path / "there" / "below", "Not a directory")]
    for path, why in bad:
        outcome = spillring("send", "q", "--create", "-f", tmp_path / "there", "-f", path, code=66)
        assert_failure(outcome, "cannot ")
        assert f"\n  why: {why}" in outcome.err
    assert spillring("ls", "--no-header").out == ""


def test_a_message_too_large_sends_none(spillring):
    spillring("create", "q", "--capacity", "256KiB")
    largest = spillring.info("q")["largest"]
    assert largest < 100_000
    outcome = spillring("send", "q", "small", "x" * (largest + 1), code=65)
    assert_failure(outcome, "message 2 is too large for queue 'q'")
    assert spillring.info("q")["messages"] == 0
    outcome = spillring("send", "q", stdin="x" * (largest + 1), code=65)
    assert_failure(outcome, "too large")
    assert spillring.info("q")["messages"] == 0


def test_metadata_too_large(spillring, orders):
    outcome = spillring("send", orders, "m", "--key", "k" * 66_000, code=65)
    assert_failure(outcome, "cannot send to 'orders'", hint="64 KiB")
    assert spillring.info(orders)["messages"] == 0


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb(lonely, verb):
    outcome = lonely(verb, "--help")
    assert f"Usage: spillring {verb} [OPTIONS]" in outcome.out
    assert f"Examples:\n  " in outcome.out and f"spillring {verb}" in outcome.out
    assert "--socket" in outcome.out
    assert outcome.err == ""
    assert lonely(verb, "-h").out == outcome.out


def test_help_names_every_verb(lonely):
    outcome = lonely("--help")
    for verb in VERBS:
        assert f"\n  {verb} " in outcome.out
    for verb in LATER:
        assert f"\n  {verb} " not in outcome.out
    assert lonely().out == outcome.out


def test_a_missing_queue(spillring, orders):
    for arguments in (["info"], ["recv"], ["peek"], ["drain"], ["purge", "-y"], ["rm", "-y"]):
        outcome = spillring(*arguments, "oders", code=69)
        assert_failure(outcome, "there is no queue 'oders'", hint="did you mean 'orders'?")
    assert_failure(spillring("send", "oders", "m", code=69), "there is no queue 'oders'")
    assert_failure(spillring("info", "xyzzy", code=69), "there is no queue 'xyzzy'", hint="xyzzy")


def test_no_supervisor(lonely):
    for arguments in (["ls"], ["create", "q"], ["send", "q", "m"], ["recv", "q"], ["info", "q"],
                      ["drain", "q"], ["peek", "q"], ["rm", "q", "-y"], ["purge", "q", "-y"]):
        outcome = lonely(*arguments, code=69)
        assert_failure(outcome, lonely.socket, hint="spillringd")
