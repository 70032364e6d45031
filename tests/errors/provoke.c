/* provoke CODE SOCKET: makes the C library fail with CODE, where test_errors.py has prepared that.
 * Prints "ready" and reads a line before the call that fails; then number, code, what, why, hint.
 */
#define _GNU_SOURCE

#include <signal.h>
#include <spillring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t second = 1000000000;
static const uid_t nobody = 65534;
static const char* wanted;
static const char* path;
static char bytes[5 << 20];

static spillring_client* client;
static spillring_queue* queue;
static spillring_producer* out;
static spillring_consumer* in;

static void ready(void) {
  printf("ready\n");
  fflush(stdout);
  while (getchar() != '\n') {
  }
}

/* Ends the program where the call failed. */
static void check(spillring_code code) {
  if (code == SPILLRING_OK) return;
  printf("%d\n%s\n%s\n%s\n%s\n", code, spillring_code_name(code), spillring_error_what(),
         spillring_error_why(), spillring_error_hint());
  fflush(stdout);
  _exit(0);
}

static int is(const char* code) { return strcmp(wanted, code) == 0; }

static void nothing(int number) { (void)number; }

static void connect_in(int64_t timeout_ns) {
  const spillring_connect_options options = {
      .size = sizeof options, .socket = path, .timeout_ns = timeout_ns};
  check(spillring_connect(&options, &client));
}

static void open_queue(const char* name) { check(spillring_queue_open(client, name, &queue)); }

static void produce(void) {
  open_queue("q");
  check(spillring_producer_open(queue, NULL, &out));
}

static void consume(spillring_consumer** consumer) {
  const spillring_consumer_options options = {.size = sizeof options, .interruptible = 1};
  if (queue == NULL) open_queue("q");
  check(spillring_consumer_open(queue, NULL, is("interrupted") ? &options : NULL, consumer));
}

static void send_bytes(size_t size) {
  check(spillring_send(out, bytes, size, 10 * second, NULL, NULL));
}

static void create(const char* name, uint64_t capacity, int prealloc, int durability) {
  const spillring_queue_options options = {.size = sizeof options,
                                           .capacity = capacity,
                                           .prealloc = prealloc,
                                           .durability = durability};
  ready();
  check(spillring_queue_create(client, name, &options, &queue));
}

static void ack_late(void) {
  spillring_consumer* other = NULL;
  spillring_message* late = NULL;
  spillring_message* again = NULL;
  consume(&in);
  consume(&other);
  check(spillring_receive(in, 60 * second, &late));
  check(spillring_receive(other, 60 * second, &again));
  ready();
  check(spillring_message_ack(late));
}

static void send_in_child(void) {
  const pid_t child = fork();
  if (child == 0) {
    ready();
    send_bytes(1);
  }
  waitpid(child, NULL, 0);
  _exit(0);
}

static void receive(int64_t timeout_ns) {
  spillring_message* message = NULL;
  consume(&in);
  ready();
  if (is("interrupted")) {
    signal(SIGALRM, nothing);
    alarm(1);
  }
  check(spillring_receive(in, timeout_ns, &message));
}

static void as_nobody(void) {
  ready();
  if (setresgid(nobody, nobody, nobody) != 0 || setresuid(nobody, nobody, nobody) != 0) exit(1);
  connect_in(60 * second);
  produce();
}

static void send_to_queue(void) {
  produce();
  if (is("forked")) send_in_child();
  ready();
  do send_bytes(is("too_large") ? sizeof bytes : 1);
  while (is("full"));
  if (is("unsupported") || is("in_doubt")) check(spillring_flush(out, 60 * second));
}

static void use_connection(void) {
  if (is("empty")) receive(SPILLRING_NO_WAIT);
  if (is("interrupted") || is("corrupt")) receive(60 * second);
  if (is("stale")) ack_late();
  if (is("exists")) create("q", 0, 0, SPILLRING_DURABILITY_MEMORY);
  if (is("no_memory")) create("large", UINT64_C(1) << 40, 1, SPILLRING_DURABILITY_MEMORY);
  if (is("no_space") || is("io")) create("other", 0, 0, SPILLRING_DURABILITY_DISK);
  if (is("invalid") || is("not_found")) {
    ready();
    open_queue(is("invalid") ? ".q" : "none");
  }
  if (is("busy")) {
    open_queue("q");
    ready();
    check(spillring_group_remove(queue, "default"));
  }
  send_to_queue();
}

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  wanted = argv[1];
  path = argv[2];
  if (is("denied")) as_nobody();
  if (is("timeout") || is("unavailable") || is("version_mismatch")) {
    ready();
    connect_in(second / 5);
  }
  connect_in(60 * second);
  use_connection();
  printf("nothing failed\n");
  return 0;
}
