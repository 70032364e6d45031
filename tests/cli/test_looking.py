"""spillring ls, info, version: what programs read."""

COLUMNS = "NAME STATE MSGS BYTES CAPACITY RINGS PROD CONS GROUPS MEMORY JOURNAL ALARM DROPPED DELIVERIES DEAD-LETTER".split()


def rows(outcome):
    return [line.split("\t") for line in outcome.lines]


def test_ls_in_a_pipe_separates_by_tabs(spillring):
    spillring("create", "b", "--capacity", "1MiB")
    spillring("create", "a")
    spillring("send", "a", "x", "y")
    header, first, second = rows(spillring("ls"))
    assert header == COLUMNS
    assert first[:3] == ["a", "ok", "2"]
    assert first[4] == str(16 << 20)
    assert second[:5] == ["b", "ok", "0", "0", str(1 << 20)]
    assert int(second[9]) > 0


def test_ls_without_header(spillring, orders):
    assert [row[0] for row in rows(spillring("ls", "--no-header"))] == [orders]


def test_ls_does_not_cut_long_names(spillring):
    name = "n" * 120
    spillring("create", name)
    assert rows(spillring("ls"))[1][0] == name


def test_ls_of_nothing_is_only_a_header(spillring):
    assert rows(spillring("ls")) == [COLUMNS]


def test_ls_takes_a_glob(spillring):
    for name in ("log-a", "log-b", "orders"):
        spillring("create", name)
    assert [row[0] for row in rows(spillring("ls", "log-*", "--no-header"))] == ["log-a", "log-b"]
    assert [row[0] for row in rows(spillring("ls", "[no]*", "--no-header"))] == ["orders"]
    assert spillring("ls", "nothing*", "--no-header", code=1).out == ""


def test_ls_as_json_and_ndjson(spillring):
    for name in ("a", "b"):
        spillring("create", name)
    document = spillring("ls", "-o", "json").json
    assert document["schema"] == "spillring.queues.v1"
    assert [queue["name"] for queue in document["queues"]] == ["a", "b"]
    assert spillring("ls", "--json").json.keys() == document.keys()
    lines = spillring("ls", "-o", "ndjson").envelopes
    assert [line["name"] for line in lines] == ["a", "b"]
    assert {line["schema"] for line in lines} == {"spillring.queue.v1"}


def test_ls_as_a_table_in_a_pipe_is_aligned_and_plain(spillring, orders):
    lines = spillring("ls", "-o", "table").lines
    assert lines[0].split() == COLUMNS
    assert "16 MiB" in lines[1] and "\t" not in lines[1] and "\x1b" not in lines[1]
    assert lines[0].index("MSGS") + len("MSGS") == lines[1].index(" 0 ") + 2


def test_info_shows_properties_and_groups(spillring, orders):
    spillring("send", orders, "a", "b", "c")
    spillring("recv", orders, "-g", "billing")
    text = spillring("info", orders).out
    properties, groups = text.split("\n\n")
    values = dict(line.split("\t") for line in properties.splitlines())
    assert values["name"] == orders and values["capacity"] == str(16 << 20)
    header, group = [line.split("\t") for line in groups.splitlines()]
    assert header == ["GROUP", "KIND", "FLOOR", "LAG", "MEMBERS", "UNACKED", "DROPPED", "EXPIRES"]
    assert group == ["billing", "shared", "2", "2", "0", "0", "0", "-"]


def test_info_as_json(spillring, orders):
    spillring("send", orders, "a", "b", "c")
    spillring("recv", orders, "-g", "billing")
    info = spillring.info(orders)
    assert (info["messages"], info["first"], info["next"]) == (2, 2, 4)
    assert info["groups"] == 1
    assert info["group_list"] == [
        {"name": "billing", "kind": "shared", "floor": 2, "lag": 2, "members": 0, "unacked": 0, "read_back": 0,
         "read_back_bytes": 0, "expired": 0, "dropped": 0, "expires_in": None}
    ]
    assert info["alarm"] == "none" and info["oldest_age"] > 0
    assert spillring("recv", orders, "--all", "-g", "billing").lines == ["b", "c"]
    assert spillring.info(orders)["oldest_age"] is None
    assert spillring("info", orders, "-o", "ndjson").out.count("\n") == 1


def test_version(spillring):
    rows_by_name = dict(rows(spillring("version")))
    document = spillring("version", "--json").json
    assert document["schema"] == "spillring.version.v1"
    assert rows_by_name["spillring"] == document["version"]
    assert rows_by_name["layout"] == str(document["layout"])
    assert rows_by_name["protocol"] == str(document["protocol"])
    assert spillring("--version").out == spillring("version").out


def test_version_needs_no_supervisor(lonely):
    assert lonely("version").out


def test_the_socket_option_is_stronger_than_the_environment(spillring, lonely, orders):
    assert spillring("-S", lonely.socket, "ls", code=69).out == ""
    assert lonely("ls", "-S", spillring.socket, "--no-header").out.startswith(orders)
    assert lonely("--socket", spillring.socket, "ls", "--no-header").out.startswith(orders)
