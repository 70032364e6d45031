/* Uses every function of spillring.h, in a process of its own with its own supervisor. Ends with
 * "N passed, N failed". Arguments: a directory for the state. */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <spillring.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int passed = 0;
static int failed = 0;

static void check(int condition, const char* what, int line) {
  if (condition) {
    ++passed;
    return;
  }
  ++failed;
  printf("FAIL line %d: %s (last failure: %s: %s)\n", line, what, spillring_error_what(),
         spillring_error_why());
}
#define CHECK(condition) check((condition) != 0, #condition, __LINE__)
#define OK(call) check((call) == SPILLRING_OK, #call, __LINE__)
#define FAILS(code, call) check((call) == (code), #call " is " #code, __LINE__)

static const int64_t second = 1000000000;

static int says(const spillring_message* message, const char* text) {
  return spillring_message_size(message) == strlen(text) &&
         memcmp(spillring_message_data(message), text, strlen(text)) == 0;
}

static void failures(spillring_client* client) {
  spillring_queue* queue = NULL;
  FAILS(SPILLRING_NOT_FOUND, spillring_queue_open(client, "missing", &queue));
  CHECK(queue == NULL);
  CHECK(strstr(spillring_error_what(), "missing") != NULL);
  FAILS(SPILLRING_INVALID, spillring_queue_open(client, "no name", &queue));
  CHECK(strlen(spillring_error_why()) > 0 && strlen(spillring_error_hint()) > 0);
  FAILS(SPILLRING_INVALID, spillring_queue_open(client, NULL, &queue));
  spillring_queue_options unsized;
  memset(&unsized, 0, sizeof unsized);
  FAILS(SPILLRING_INVALID, spillring_queue_create(client, "q", &unsized, &queue));
  spillring_queue_options odd = {.size = sizeof odd, .full = 9};
  FAILS(SPILLRING_INVALID, spillring_queue_create(client, "q", &odd, &queue));
  spillring_connect_options nowhere = {.size = sizeof nowhere, .socket = "/nonexistent/socket"};
  spillring_client* other = NULL;
  FAILS(SPILLRING_UNAVAILABLE, spillring_connect(&nowhere, &other));
  CHECK(strcmp(spillring_code_name(SPILLRING_UNAVAILABLE), "unavailable") == 0);
  CHECK(strcmp(spillring_code_name((spillring_code)99), "unknown") == 0);
  spillring_client_free(NULL);
  spillring_queue_free(NULL);
  spillring_producer_free(NULL);
  spillring_consumer_free(NULL);
  spillring_message_free(NULL);
  spillring_loan_cancel(NULL);
  spillring_wait_set_free(NULL);
  spillring_embedded_free(NULL);
}

/* A program that was built when the struct was shorter. */
static void older_programs(spillring_client* client) {
  spillring_queue_options options = {
      .size = offsetof(spillring_queue_options, slots), .capacity = 1 << 20, .slots = 1};
  spillring_queue* queue = NULL;
  OK(spillring_queue_create(client, "older", &options, &queue));
  spillring_queue_info info = {.size = sizeof info};
  OK(spillring_queue_get_info(queue, &info));
  CHECK(info.options->size == sizeof *info.options);
  CHECK(info.options->capacity == 1 << 20 && info.options->slots == 65536);
  spillring_queue_info part = {.size = offsetof(spillring_queue_info, state), .state = 77};
  OK(spillring_queue_get_info(queue, &part));
  CHECK(part.options->capacity == 1 << 20 && part.state == 77);
  spillring_queue_free(queue);
  OK(spillring_queue_remove(client, "older"));
}

static void note_client(const spillring_client_info* info, void* context) {
  if (info->role == 2) *(spillring_client_info*)context = *info;
}

static void sending_and_receiving(spillring_client* client) {
  spillring_queue* queue = NULL;
  spillring_producer* out = NULL;
  spillring_consumer* in = NULL;
  OK(spillring_queue_open_or_create(client, "orders", NULL, &queue));
  CHECK(strcmp(spillring_queue_name(queue), "orders") == 0);
  CHECK(spillring_queue_incarnation(queue) != 0);
  OK(spillring_producer_open(queue, NULL, &out));
  spillring_consumer_options options = {.size = sizeof options, .prefetch = 1};
  OK(spillring_consumer_open(queue, NULL, &options, &in));

  spillring_message* message = NULL;
  FAILS(SPILLRING_EMPTY, spillring_receive(in, SPILLRING_NO_WAIT, &message));
  CHECK(message == NULL && strlen(spillring_error_what()) > 0);
  FAILS(SPILLRING_TIMEOUT, spillring_wait(in, 1000));

  const spillring_header headers[] = {{"type", "order", 5}, {"empty", "", 0}};
  const spillring_metadata metadata = {
      .size = sizeof metadata, .key = "4711", .key_size = 4, .headers = headers, .header_count = 2};
  uint64_t sequence = 0;
  OK(spillring_send(out, "hello", 5, SPILLRING_FOREVER, &metadata, &sequence));
  CHECK(sequence == 1 && spillring_published(out) == 1);
  OK(spillring_try_send(out, "", 0, NULL, NULL));
  OK(spillring_wait_for_room(out, 100, second));
  CHECK(spillring_disk_alarm(out) == 0);

  OK(spillring_receive(in, second, &message));
  CHECK(says(message, "hello"));
  CHECK(spillring_message_sequence(message) == 1 && spillring_message_deliveries(message) == 1);
  CHECK(spillring_message_timestamp_ns(message) > INT64_C(1600000000) * second);
  size_t size = 0;
  CHECK(memcmp(spillring_message_key(message, &size), "4711", 4) == 0 && size == 4);
  CHECK(spillring_message_header_count(message) == 2);
  const spillring_header header = spillring_message_header(message, 0);
  CHECK(strcmp(header.name, "type") == 0 && memcmp(header.value, "order", 5) == 0);
  CHECK(spillring_message_header(message, 1).value_size == 0);
  spillring_client_info member = {0};
  OK(spillring_clients(queue, note_client, &member));
  CHECK(member.holds == 1 && member.hold == 1);
  OK(spillring_message_nack(message));
  OK(spillring_receive(in, second, &message));
  CHECK(spillring_message_deliveries(message) == 2);
  OK(spillring_message_nack_later(message, second));
  // The next one comes meanwhile.
  OK(spillring_receive(in, second, &message));
  CHECK(spillring_message_key(message, &size) == NULL && size == 0);
  CHECK(spillring_message_size(message) == 0);
  OK(spillring_message_ack(message));
  OK(spillring_receive(in, 30 * second, &message));
  CHECK(spillring_message_deliveries(message) == 3);
  OK(spillring_message_settle(message));
  CHECK(says(message, "hello"));
  spillring_message_free(message);

  const spillring_bytes parts[] = {{"one", 3}, {"", 0}, {"three", 5}};
  spillring_batch_options how = {.size = sizeof how, .metadata = &metadata};
  spillring_sent sent = {0};
  OK(spillring_send_batch(out, parts, 3, second, NULL, &sent));
  CHECK(sent.count == 3 && sent.first == 3 && sent.last == 5);
  how.atomic = 1;
  OK(spillring_send_batch(out, parts, 3, second, &how, &sent));
  CHECK(sent.count == 3 && sent.first == 6 && sent.last == 6);
  FAILS(SPILLRING_INVALID, spillring_send_batch(out, NULL, 0, second, &how, NULL));
  for (int i = 0; i < 3; ++i) {
    OK(spillring_receive(in, second, &message));
    CHECK(!spillring_message_is_batch(message) && spillring_message_part_count(message) == 1);
    CHECK(spillring_message_part(message, 0).size == parts[i].size);
    OK(spillring_message_ack(message));
  }
  OK(spillring_receive(in, second, &message));
  CHECK(spillring_message_is_batch(message) && spillring_message_part_count(message) == 3);
  for (int i = 0; i < 3; ++i) {
    const spillring_bytes part = spillring_message_part(message, i);
    CHECK(part.size == parts[i].size && memcmp(part.data, parts[i].data, part.size) == 0);
  }
  OK(spillring_message_ack(message));

  spillring_loan* loan = NULL;
  OK(spillring_loan_open(out, 100, 4096, second, &metadata, &loan));
  CHECK((uintptr_t)spillring_loan_data(loan) % 4096 == 0 && spillring_loan_size(loan) == 100);
  memcpy(spillring_loan_data(loan), "in place", 8);
  FAILS(SPILLRING_INVALID, spillring_loan_publish(loan, 101, NULL));
  const uint64_t expected = spillring_loan_sequence(loan);
  OK(spillring_loan_publish(loan, 8, &sequence));
  CHECK(sequence == expected);
  OK(spillring_loan_open(out, 100, 0, second, NULL, &loan));
  spillring_loan_cancel(loan);
  FAILS(SPILLRING_TOO_LARGE, spillring_loan_open(out, SIZE_MAX / 2, 0, second, NULL, &loan));
  FAILS(SPILLRING_UNSUPPORTED, spillring_flush(out, second));
  FAILS(SPILLRING_UNSUPPORTED, spillring_confirm(out, 1, second));

  for (int i = 0; i < 4; ++i) OK(spillring_send(out, "more", 4, second, NULL, NULL));
  CHECK(spillring_consumer_lag(in) >= 5);
  spillring_message* batch[8];
  size_t count = 0;
  size_t all = 0;
  while (all < 5 && spillring_receive_batch(in, 8, second, batch, &count) == SPILLRING_OK) {
    for (size_t i = 0; i < count; ++i) OK(spillring_message_ack(batch[i]));
    all += count;
  }
  CHECK(all == 5);
  spillring_consumer_free(in);
  spillring_producer_free(out);
  spillring_queue_free(queue);
}

static void note_group(const spillring_group_info* info, void* context) {
  if (strcmp(info->name, "g") == 0) *(spillring_group_info*)context = *info;
}
static void count_expired(const spillring_message* message, void* context) {
  CHECK(spillring_message_ttl_ns(message) > 0);
  *(int*)context += spillring_message_expired(message);
}

static void times(spillring_client* client) {
  spillring_queue* queue = NULL;
  spillring_producer* out = NULL;
  spillring_consumer* in = NULL;
  const spillring_queue_options options = {.size = sizeof options, .ttl_ns = 4000 * second};
  OK(spillring_queue_create(client, "hasty", &options, &queue));
  spillring_queue_info info = {.size = sizeof info};
  OK(spillring_queue_get_info(queue, &info));
  CHECK(info.options->ttl_ns == 4000 * second);
  const int64_t longer = 5000 * second;
  const spillring_queue_changes changes = {.size = sizeof changes, .ttl_ns = &longer};
  OK(spillring_queue_set(queue, &changes));
  const spillring_producer_options own = {.size = sizeof own, .ttl_ns = 3000 * second};
  OK(spillring_producer_open(queue, &own, &out));
  spillring_metadata metadata = {.size = sizeof metadata, .ttl_ns = 1000000};
  OK(spillring_send(out, "late", 4, second, &metadata, NULL));
  OK(spillring_send(out, "good", 4, second, NULL, NULL));
  metadata.ttl_ns = -1;
  FAILS(SPILLRING_INVALID, spillring_send(out, "x", 1, second, &metadata, NULL));
  spillring_producer_free(out);
  OK(spillring_producer_open(queue, NULL, &out));
  OK(spillring_send(out, "more", 4, second, NULL, NULL));
  const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
  nanosleep(&pause, NULL);
  int expired = 0;
  OK(spillring_peek(queue, 10, 0, count_expired, &expired));
  CHECK(expired == 1);
  OK(spillring_consumer_open(queue, "g", NULL, &in));
  spillring_message* message = NULL;
  OK(spillring_receive(in, second, &message));
  CHECK(says(message, "good") && spillring_message_ttl_ns(message) == 3000 * second);
  CHECK(spillring_message_expired(message) == 0);
  OK(spillring_message_ack(message));
  OK(spillring_receive(in, second, &message));
  CHECK(says(message, "more") && spillring_message_ttl_ns(message) == longer);
  OK(spillring_message_ack(message));
  spillring_group_info group = {0};
  OK(spillring_groups(queue, note_group, &group));
  CHECK(group.expired == 1);
  spillring_consumer_free(in);
  spillring_producer_free(out);
  spillring_queue_free(queue);
  OK(spillring_queue_remove(client, "hasty"));
}

static void note_dropped(const spillring_group_info* info, void* context) {
  *(uint64_t*)context = info->dropped;
}

/* The oldest are dropped, and whoever reads is told how many. */
static void dropping(spillring_client* client) {
  const spillring_queue_options options = {
      .size = sizeof options, .capacity = 65536, .slots = 64, .full = SPILLRING_FULL_DROP_OLDEST};
  spillring_queue* queue = NULL;
  spillring_producer* out = NULL;
  spillring_consumer* in = NULL;
  OK(spillring_queue_create(client, "drops", &options, &queue));
  OK(spillring_producer_open(queue, NULL, &out));
  OK(spillring_consumer_open(queue, NULL, NULL, &in));
  for (int i = 0; i < 200; ++i) OK(spillring_send(out, &i, sizeof i, second, NULL, NULL));
  spillring_message* message = NULL;
  OK(spillring_receive(in, second, &message));
  const int first = *(const int*)spillring_message_data(message);
  CHECK(first > 100 && spillring_message_gap(message) == (uint64_t)first);
  OK(spillring_message_ack(message));
  OK(spillring_receive(in, second, &message));
  CHECK(spillring_message_gap(message) == 0);
  OK(spillring_message_ack(message));
  uint64_t dropped = 0;
  OK(spillring_groups(queue, note_dropped, &dropped));
  spillring_queue_info info = {.size = sizeof info};
  OK(spillring_queue_get_info(queue, &info));
  CHECK(dropped == (uint64_t)first && info.dropped == dropped);
  CHECK(info.options->full == SPILLRING_FULL_DROP_OLDEST);
  spillring_consumer_free(in);
  spillring_producer_free(out);
  spillring_queue_free(queue);
  OK(spillring_queue_remove(client, "drops"));
}

static void count_message(const spillring_message* message, void* context) {
  size_t size = 0;
  CHECK(spillring_message_deliveries(message) == 0);
  CHECK(spillring_message_key(message, &size) != NULL && size == 0);
  CHECK(spillring_message_header_count(message) == 1);
  CHECK(spillring_message_timestamp_ns(message) > 0 && spillring_message_sequence(message) != 0);
  ++*(int*)context;
}
static void count_queue(const spillring_queue_info* info, void* context) {
  CHECK(info->size == sizeof *info);
  ++*(int*)context;
}
static void count_finding(const spillring_finding* finding, void* context) {
  CHECK(strlen(finding->check) > 0 && strlen(finding->what) > 0);
  ++*(int*)context;
}

static void administration(spillring_client* client) {
  spillring_queue* queue = NULL;
  const spillring_queue_options options = {.size = sizeof options,
                                           .full = SPILLRING_FULL_SPILL,
                                           .durability = SPILLRING_DURABILITY_DISK,
                                           .sync_interval_ns = 1000000,
                                           .retain_bytes = 1 << 20,
                                           .mode = 0640,
                                           .group_expiry_ns = 1000 * second};
  OK(spillring_queue_create(client, "kept", &options, &queue));
  FAILS(SPILLRING_EXISTS, spillring_queue_create(client, "kept", &options, &queue));
  spillring_queue_info info = {.size = sizeof info};
  OK(spillring_queue_get_info(queue, &info));
  CHECK(strcmp(info.name, "kept") == 0 && info.options->full == SPILLRING_FULL_SPILL);
  CHECK(info.options->durability == SPILLRING_DURABILITY_DISK && info.options->mode == 0640);
  CHECK(info.options->sync_interval_ns == 1000000 && info.options->stall_timeout_ns == second);
  CHECK(info.oldest_age_ns == -1 && info.owner == (uint32_t)getuid());

  const int64_t lease = 30 * second;
  const uint64_t history = 2 << 20;
  const spillring_queue_changes changes = {
      .size = sizeof changes, .lease_ns = &lease, .retain_bytes = &history};
  OK(spillring_queue_set(queue, &changes));
  OK(spillring_queue_get_info(queue, &info));
  CHECK(info.options->lease_ns == lease && info.options->retain_bytes == history);

  spillring_producer* out = NULL;
  const spillring_producer_options interruptible = {.size = sizeof interruptible,
                                                    .interruptible = 1};
  OK(spillring_producer_open(queue, &interruptible, &out));
  const spillring_header header = {"n", "v", 1};
  const spillring_metadata metadata = {
      .size = sizeof metadata, .key = "", .headers = &header, .header_count = 1};
  for (int i = 0; i < 3; ++i) OK(spillring_send(out, "x", 1, second, &metadata, NULL));
  OK(spillring_flush(out, 10 * second));
  OK(spillring_confirm(out, 3, 10 * second));
  int count = 0;
  OK(spillring_peek(queue, 10, 0, count_message, &count));
  CHECK(count == 3);
  uint64_t messages = 0;
  OK(spillring_queue_messages(queue, &messages));
  CHECK(messages == 3);

  spillring_consumer* in = NULL;
  const spillring_consumer_options at_second = {
      .size = sizeof at_second, .from = SPILLRING_FROM_SEQUENCE, .from_value = 2};
  OK(spillring_consumer_open(queue, "g", &at_second, &in));
  spillring_message* message = NULL;
  OK(spillring_receive(in, second, &message));
  CHECK(spillring_message_sequence(message) == 2);
  spillring_client_info member = {0};
  OK(spillring_clients(queue, note_client, &member));
  CHECK(member.pid == (uint32_t)getpid() && member.unacked >= 1);
  CHECK(member.holds == 0 || member.hold == 2); /* in the journal; or the ring has it still */
  FAILS(SPILLRING_BUSY, spillring_consumer_seek(in, SPILLRING_FROM_EARLIEST, 0));
  OK(spillring_message_ack(message));
  OK(spillring_consumer_seek(in, SPILLRING_FROM_EARLIEST, 0));
  OK(spillring_receive(in, second, &message));
  CHECK(spillring_message_sequence(message) == 1);
  spillring_consumer_free(in);
  spillring_message_free(message); /* outlives its consumer */
  spillring_group_info group = {0};
  OK(spillring_groups(queue, note_group, &group));
  CHECK(group.members == 0 && group.stream == 0 && group.floor == 1);
  CHECK(info.options->group_expiry_ns == 1000 * second);
  CHECK(group.expires_in_ns > 900 * second && group.expires_in_ns <= 1000 * second);
  const int64_t never = 0;
  const spillring_queue_changes no_expiry = {.size = sizeof no_expiry, .group_expiry_ns = &never};
  OK(spillring_queue_set(queue, &no_expiry));
  OK(spillring_groups(queue, note_group, &group));
  CHECK(group.expires_in_ns == -1);
  OK(spillring_group_seek(queue, "g", SPILLRING_FROM_TIME, 1));
  OK(spillring_group_seek(queue, "g", SPILLRING_FROM_LATEST, 0));
  OK(spillring_groups(queue, note_group, &group));
  CHECK(group.lag == 0);
  OK(spillring_group_remove(queue, "g"));
  FAILS(SPILLRING_NOT_FOUND, spillring_group_remove(queue, "g"));
  OK(spillring_consumer_open(queue, "g", NULL, &in));
  FAILS(SPILLRING_BUSY, spillring_group_remove(queue, "g"));
  OK(spillring_group_remove_with_members(queue, "g"));
  FAILS(SPILLRING_DELETED, spillring_receive(in, SPILLRING_FOREVER, &message));
  spillring_consumer_free(in);

  OK(spillring_subscriber_open(queue, NULL, NULL, &in));
  FAILS(SPILLRING_EMPTY, spillring_receive(in, SPILLRING_NO_WAIT, &message));
  spillring_consumer_free(in);
  uint64_t purged = 0;
  OK(spillring_queue_purge(queue, &purged));
  OK(spillring_queue_purge(queue, NULL));
  count = 0;
  OK(spillring_queues(client, count_queue, &count));
  CHECK(count == 2);
  const spillring_connect_options same = {
      .size = sizeof same, .socket = spillring_client_socket(client), .timeout_ns = 10 * second};
  count = 0;
  OK(spillring_diagnose(&same, count_finding, &count));
  CHECK(count > 3);
  spillring_producer_free(out);
  spillring_queue_free(queue);
  OK(spillring_queue_remove(client, "kept"));
}

static void waiting_for_many(spillring_client* client) {
  enum { count = 20 };
  spillring_wait_set* set = NULL;
  spillring_queue* queues[count];
  spillring_consumer* consumers[count];
  uint64_t ids[count];
  OK(spillring_wait_set_open(&set));
  for (int i = 0; i < count; ++i) {
    char name[16];
    snprintf(name, sizeof name, "many-%d", i);
    OK(spillring_queue_create(client, name, NULL, &queues[i]));
    OK(spillring_subscriber_open(queues[i], NULL, NULL, &consumers[i]));
    OK(spillring_wait_set_add(set, consumers[i], &ids[i]));
    spillring_message* none = NULL;
    FAILS(SPILLRING_EMPTY, spillring_receive(consumers[i], SPILLRING_NO_WAIT, &none));
  }
  uint64_t ready[count];
  size_t found = 0;
  FAILS(SPILLRING_EMPTY, spillring_wait_set_wait(set, SPILLRING_NO_WAIT, ready, count, &found));
  spillring_producer* out = NULL;
  OK(spillring_producer_open(queues[7], NULL, &out));
  OK(spillring_send(out, "x", 1, second, NULL, NULL));
  OK(spillring_wait_set_wait(set, 30 * second, ready, 1, &found));
  CHECK(found == 1 && ready[0] == ids[7]);
  int fd = -1;
  OK(spillring_consumer_fd(consumers[7], &fd));
  struct pollfd entries[] = {{fd, POLLIN, 0}, {spillring_wait_set_fd(set), POLLIN, 0}};
  CHECK(poll(entries, 2, 30000) == 2);
  spillring_wait_set_remove(set, ids[7]);
  FAILS(SPILLRING_TIMEOUT, spillring_wait_set_wait(set, 1000, ready, count, &found));
  int ends[2];
  CHECK(pipe(ends) == 0);
  uint64_t id = 0;
  OK(spillring_wait_set_add_fd(set, ends[0], &id));
  CHECK(write(ends[1], "x", 1) == 1);
  OK(spillring_wait_set_wait(set, 30 * second, ready, count, &found));
  CHECK(found == 1 && ready[0] == id);
  close(ends[0]);
  close(ends[1]);
  spillring_producer_free(out);
  for (int i = 0; i < count; ++i) {
    spillring_consumer_free(consumers[i]);
    OK(spillring_queue_remove(client, spillring_queue_name(queues[i])));
    spillring_queue_free(queues[i]);
  }
  spillring_wait_set_free(set);
}

static void forked_children(spillring_client* client) {
  spillring_queue* queue = NULL;
  spillring_producer* out = NULL;
  OK(spillring_queue_open(client, "orders", &queue));
  OK(spillring_producer_open(queue, NULL, &out));
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const int forked = spillring_send(out, "x", 1, second, NULL, NULL) == SPILLRING_FORKED;
    spillring_producer_free(out);
    spillring_queue_free(queue);
    _exit(forked ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  OK(spillring_send(out, "x", 1, second, NULL, NULL));
  spillring_producer_free(out);
  spillring_queue_free(queue);
}

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  CHECK(strlen(spillring_version()) >= 5);
  const spillring_embedded_options options = {.size = sizeof options, .state_dir = argv[1]};
  spillring_embedded* embedded = NULL;
  spillring_client* client = NULL;
  OK(spillring_embedded_start(&options, &embedded));
  OK(spillring_embedded_connect(embedded, &client));
  CHECK(strcmp(spillring_embedded_socket(embedded), spillring_client_socket(client)) == 0);
  failures(client);
  older_programs(client);
  sending_and_receiving(client);
  times(client);
  dropping(client);
  administration(client);
  waiting_for_many(client);
  forked_children(client);
  spillring_client_free(client);
  spillring_embedded_free(embedded);
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
