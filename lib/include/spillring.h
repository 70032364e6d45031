/* Spillring for C, and for whatever else calls C functions.
 *
 *     spillring_client* client;
 *     spillring_queue* queue;
 *     spillring_producer* out;
 *     if (spillring_connect(NULL, &client) != SPILLRING_OK ||
 *         spillring_queue_open_or_create(client, "orders", NULL, &queue) != SPILLRING_OK ||
 *         spillring_producer_open(queue, NULL, &out) != SPILLRING_OK ||
 *         spillring_send(out, "hello", 5, SPILLRING_FOREVER, NULL, NULL) != SPILLRING_OK) {
 *       fprintf(stderr, "%s: %s\n", spillring_error_what(), spillring_error_why());
 *     }
 *
 * What the C++ headers say of a call (<spillring/queue.hpp>, ...) holds for the one of this name:
 * when it blocks, what it costs, which threads may use it. Beside that:
 *
 * - Every function that can fail returns a spillring_code; results come through its last arguments,
 *   which stay as they are where it fails. Where a result may be NULL, it is said here.
 * - Structs with a `size` are the caller's: set it to sizeof, all else to zero, then what is to
 *   differ. Zero means the default everywhere; NULL instead of a struct: all defaults. So a program
 *   goes on working with a library that knows more.
 * - ..._free(NULL) does nothing. What was made through something may outlive it.
 * - Text is UTF-8 and ends with a zero byte; what is returned lives as long as its object.
 *
 * The functions are exported with the version SPILLRING_C_0; what has one keeps its meaning.
 */
#ifndef SPILLRING_H
#define SPILLRING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- failures ---- */

typedef enum spillring_code {
  SPILLRING_OK = 0,
  SPILLRING_FULL = 1,         /* no room, and the queue's full policy is to reject */
  SPILLRING_EMPTY = 2,        /* nothing there now */
  SPILLRING_TIMEOUT = 3,      /* the deadline passed first */
  SPILLRING_INTERRUPTED = 4,  /* a signal arrived, and the handle was opened interruptible */
  SPILLRING_STALE = 5,        /* too late: revoked, or given to somebody else */
  SPILLRING_CLOSED = 6,       /* the handle was closed */
  SPILLRING_DELETED = 7,      /* the queue, or the group, was removed */
  SPILLRING_POISONED = 8,     /* the queue's memory was found damaged */
  SPILLRING_CORRUPT = 9,      /* what was read contradicts itself */
  SPILLRING_TOO_LARGE = 10,   /* larger than the queue's largest message */
  SPILLRING_INVALID = 11,     /* an argument that can never work */
  SPILLRING_NOT_FOUND = 12,   /* no such queue, group or message */
  SPILLRING_EXISTS = 13,      /* there is one of that name already */
  SPILLRING_DENIED = 14,      /* not permitted */
  SPILLRING_NO_MEMORY = 15,   /* refused by the system or a limit */
  SPILLRING_BUSY = 16,        /* all places are taken, or it is in use */
  SPILLRING_UNAVAILABLE = 17, /* no supervisor answers */
  SPILLRING_VERSION_MISMATCH = 18,
  SPILLRING_UNSUPPORTED = 19, /* known, but not built in this version */
  SPILLRING_FORKED = 20,      /* made before fork(); the child needs its own */
  SPILLRING_NO_SPACE = 21,    /* the journal's disk is full */
  SPILLRING_IO = 22,          /* the journal's disk fails */
  SPILLRING_IN_DOUBT = 23,    /* sent; nobody can say whether it has reached the disk */
  SPILLRING_INTERNAL = 24     /* a bug */
} spillring_code;

/* "not_found" and the like. */
const char* spillring_code_name(spillring_code code);

/* What failed last in this thread, why, and what to do about it; all empty where nothing has. Valid
 * until the next call in this thread that fails. */
const char* spillring_error_what(void);
const char* spillring_error_why(void);
const char* spillring_error_hint(void);

/* "0.1.0": of the library, at run time. */
const char* spillring_version(void);

/* ---- connection ---- */

/* Nanoseconds. */
#define SPILLRING_FOREVER INT64_MAX
#define SPILLRING_NO_WAIT INT64_C(0)

typedef struct spillring_client spillring_client;
typedef struct spillring_embedded spillring_embedded;

typedef struct spillring_connect_options {
  size_t size;
  const char* socket;   /* NULL: $SPILLRING_SOCKET, else the system's, else the user's own */
  int64_t timeout_ns;   /* longest wait for an answer; 0: 5 s */
  int32_t user;         /* 1: the user's own, although the system has one */
  int32_t no_autostart; /* 1: the user's own is not started where it does not run */
} spillring_connect_options;

spillring_code spillring_connect(const spillring_connect_options* options,
                                 spillring_client** client);
const char* spillring_client_socket(const spillring_client* client);
void spillring_client_free(spillring_client* client);

typedef struct spillring_embedded_options {
  size_t size;
  const char* socket;    /* NULL: in a private directory */
  const char* state_dir; /* NULL: queues end with it */
} spillring_embedded_options;

/* A supervisor inside this process. */
spillring_code spillring_embedded_start(const spillring_embedded_options* options,
                                        spillring_embedded** embedded);
spillring_code spillring_embedded_connect(const spillring_embedded* embedded,
                                          spillring_client** client);
const char* spillring_embedded_socket(const spillring_embedded* embedded);
void spillring_embedded_free(spillring_embedded* embedded);

typedef struct spillring_finding {
  size_t size;
  int32_t verdict; /* 0: ok, 1: a warning, 2: broken */
  int32_t reserved;
  const char* check;
  const char* what;
  const char* why;
  const char* hint;
} spillring_finding;

/* Whether this machine and this set-up are fit: calls `each` for each check. */
spillring_code spillring_diagnose(const spillring_connect_options* options,
                                  void (*each)(const spillring_finding* finding, void* context),
                                  void* context);

/* ---- queues ---- */

typedef struct spillring_queue spillring_queue;

typedef enum spillring_full {
  SPILLRING_FULL_STANDARD = 0, /* spill where there is a state directory, else block */
  SPILLRING_FULL_BLOCK = 1,
  SPILLRING_FULL_REJECT = 2,
  SPILLRING_FULL_SPILL = 3,
  SPILLRING_FULL_DROP_OLDEST = 4 /* spillring_message_gap() says how many were missed */
} spillring_full;
typedef enum spillring_keep {
  SPILLRING_KEEP_UNREAD = 0,
  SPILLRING_KEEP_ATTACHED = 1
} spillring_keep;
typedef enum spillring_durability {
  SPILLRING_DURABILITY_MEMORY = 0,
  SPILLRING_DURABILITY_DISK = 1
} spillring_durability;
#define SPILLRING_SYNC_NEVER INT64_MAX

typedef struct spillring_queue_options {
  size_t size;
  uint64_t capacity;          /* bytes in memory; 0: 16 MiB */
  uint64_t slots;             /* messages in memory; 0: 65536 */
  int32_t full;               /* spillring_full */
  int32_t keep;               /* spillring_keep */
  int32_t durability;         /* spillring_durability */
  int32_t prealloc;           /* 1: starts at full size, with all its pages */
  int64_t sync_interval_ns;   /* 0: at once; SPILLRING_SYNC_NEVER */
  int64_t retain_age_ns;      /* 0: no matter how long */
  uint64_t retain_bytes;      /* 0: no matter how much */
  int64_t stall_timeout_ns;   /* 0: 1 s */
  int64_t lease_ns;           /* 0: none */
  uint32_t mode;              /* 0: 0600 */
  uint32_t max_deliveries;    /* 0: without end; with a dead_letter: 5 */
  const char* owner_group;    /* NULL: one's own */
  const char* dead_letter;    /* a queue for what came too often, or too late; NULL: none */
  int64_t ttl_ns;             /* of what is sent without one; 0: no matter how long */
  int64_t group_expiry_ns;    /* a group without members for so long is removed; 0: none is */
  int32_t exclusive_producer; /* 1: at most one producer is attached; a second one is refused with
                                 SPILLRING_BUSY */
  int32_t reserved;
} spillring_queue_options;

spillring_code spillring_queue_open(const spillring_client* client, const char* name,
                                    spillring_queue** queue);
spillring_code spillring_queue_create(const spillring_client* client, const char* name,
                                      const spillring_queue_options* options,
                                      spillring_queue** queue);
spillring_code spillring_queue_open_or_create(const spillring_client* client, const char* name,
                                              const spillring_queue_options* options,
                                              spillring_queue** queue);
spillring_code spillring_queue_remove(const spillring_client* client, const char* name);
const char* spillring_queue_name(const spillring_queue* queue);
uint64_t spillring_queue_incarnation(const spillring_queue* queue);
void spillring_queue_free(spillring_queue* queue);

/* A queue at the moment of asking. Texts and options are valid during the call that gives it, or
 * until the next one for this queue. */
typedef struct spillring_queue_info {
  size_t size;
  const char* name;
  /* As they hold; `full` is never STANDARD; owner_group is a number. */
  const spillring_queue_options* options;
  int32_t state; /* 0: ok, 1: deleted, 2: poisoned, 3: stopped */
  int32_t alarm; /* 0: none, 1: disk full, 2: reserve, 3: quota, 4: error */
  uint64_t earliest;
  uint64_t first;
  uint64_t next;
  uint64_t messages;
  uint64_t bytes;
  uint64_t journaled;
  uint64_t journal_bytes;
  uint64_t largest;
  uint64_t ring_slots;
  uint64_t ring_bytes;
  uint64_t rings;
  uint64_t memory;
  uint64_t producers;
  uint64_t consumers;
  uint64_t groups;
  uint32_t owner;
  uint32_t owner_group;
  int64_t oldest_age_ns; /* -1: not known */
  uint64_t spilled;
  uint64_t spilled_bytes;
  uint64_t disk_free;
  uint64_t disk_left;
  uint64_t doomed;
  uint64_t dead_lettered;
  uint64_t discarded;
  uint64_t dropped; /* of all groups */
} spillring_queue_info;

spillring_code spillring_queues(const spillring_client* client,
                                void (*each)(const spillring_queue_info* info, void* context),
                                void* context);
/* `info->size` says how much of it the caller knows; set by the caller. */
spillring_code spillring_queue_get_info(spillring_queue* queue, spillring_queue_info* info);
spillring_code spillring_queue_messages(const spillring_queue* queue, uint64_t* messages);

typedef struct spillring_queue_changes {
  size_t size;
  /* NULL: stays. */
  const int64_t* stall_timeout_ns;
  const int64_t* lease_ns;
  const int64_t* sync_interval_ns;
  const int64_t* retain_age_ns;
  const uint64_t* retain_bytes;
  const int64_t* ttl_ns;
  const int64_t* group_expiry_ns;
} spillring_queue_changes;

spillring_code spillring_queue_set(const spillring_queue* queue,
                                   const spillring_queue_changes* changes);
/* `purged` may be NULL. */
spillring_code spillring_queue_purge(const spillring_queue* queue, uint64_t* purged);

typedef enum spillring_from {
  SPILLRING_FROM_DEFAULT = 0, /* a shared group: earliest; a subscription: latest */
  SPILLRING_FROM_EARLIEST = 1,
  SPILLRING_FROM_LATEST = 2,
  SPILLRING_FROM_SEQUENCE = 3,
  SPILLRING_FROM_TIME = 4 /* nanoseconds since 1970 */
} spillring_from;

typedef struct spillring_group_info {
  size_t size;
  const char* name; /* empty: a subscription without a name */
  int32_t stream;   /* 0: shared, 1: stream */
  int32_t reserved;
  uint64_t floor;
  uint64_t lag;
  uint64_t members;
  uint64_t unacked;
  uint64_t lost;
  uint64_t read_back;
  uint64_t read_back_bytes;
  uint64_t expired;
  int64_t expires_in_ns; /* when it will be removed, if nobody joins; -1: it will not */
  uint64_t dropped;
} spillring_group_info;

spillring_code spillring_groups(const spillring_queue* queue,
                                void (*each)(const spillring_group_info* info, void* context),
                                void* context);
spillring_code spillring_group_remove(const spillring_queue* queue, const char* group);
/* The same, though it has members: their calls are SPILLRING_DELETED from now on, and what they
 * hold is SPILLRING_STALE when they acknowledge it. */
spillring_code spillring_group_remove_with_members(const spillring_queue* queue, const char* group);
/* `value`: the sequence or the time. */
spillring_code spillring_group_seek(const spillring_queue* queue, const char* group,
                                    spillring_from from, uint64_t value);

typedef struct spillring_client_info {
  size_t size;
  uint32_t pid;
  uint32_t user;
  int32_t role;  /* 1: producer, 2: member of a shared group, 3: reader of a stream group */
  int32_t holds; /* 1: it may be looking at `hold` */
  const char* group;
  uint64_t lag;
  uint64_t unacked;
  uint64_t hold;
} spillring_client_info;

spillring_code spillring_clients(const spillring_queue* queue,
                                 void (*each)(const spillring_client_info* info, void* context),
                                 void* context);

/* ---- sending ---- */

typedef struct spillring_producer spillring_producer;
typedef struct spillring_loan spillring_loan;

typedef struct spillring_header {
  const char* name;
  const void* value;
  size_t value_size;
} spillring_header;

typedef struct spillring_metadata {
  size_t size;
  const void* key; /* NULL: none */
  size_t key_size;
  const spillring_header* headers;
  size_t header_count;
  int64_t ttl_ns; /* so long it is delivered; 0: the producer's or the queue's default;
                     SPILLRING_FOREVER: no matter how long */
} spillring_metadata;

typedef struct spillring_producer_options {
  size_t size;
  int32_t interruptible; /* 1: waits end with SPILLRING_INTERRUPTED after a signal, and each nap */
  int32_t reserved;
  int64_t ttl_ns; /* of what is sent without one; 0: the queue's */
} spillring_producer_options;

spillring_code spillring_producer_open(const spillring_queue* queue,
                                       const spillring_producer_options* options,
                                       spillring_producer** producer);
void spillring_producer_free(spillring_producer* producer);

/* `metadata` and `sequence` may be NULL. */
spillring_code spillring_send(spillring_producer* producer, const void* data, size_t size,
                              int64_t timeout_ns, const spillring_metadata* metadata,
                              uint64_t* sequence);
spillring_code spillring_try_send(spillring_producer* producer, const void* data, size_t size,
                                  const spillring_metadata* metadata, uint64_t* sequence);

typedef struct spillring_bytes {
  const void* data;
  size_t size;
} spillring_bytes;

typedef struct spillring_batch_options {
  size_t size;
  int32_t atomic; /* 1: all or none, as one message, whose parts they are */
  int32_t reserved;
  const spillring_metadata* metadata; /* of each message; of an atomic batch once; NULL: none */
} spillring_batch_options;

typedef struct spillring_sent {
  size_t count;   /* so many of the messages, from the first on, were sent */
  uint64_t first; /* sequence of the first of these */
  uint64_t last;  /* and of the last; others may have sent in between */
} spillring_sent;

/* Sends copies of many messages, in their order. Where something is in the way it says how many
 * went, as write(2) does, and fails only if none did. `options` and `sent` may be NULL. */
spillring_code spillring_send_batch(spillring_producer* producer, const spillring_bytes* messages,
                                    size_t count, int64_t timeout_ns,
                                    const spillring_batch_options* options, spillring_sent* sent);
spillring_code spillring_wait_for_room(spillring_producer* producer, size_t size,
                                       int64_t timeout_ns);
uint64_t spillring_published(const spillring_producer* producer);
spillring_code spillring_flush(spillring_producer* producer, int64_t timeout_ns);
spillring_code spillring_confirm(spillring_producer* producer, uint64_t sequence,
                                 int64_t timeout_ns);
/* As spillring_queue_info.alarm. */
int32_t spillring_disk_alarm(const spillring_producer* producer);

/* Bytes in the queue's memory, to be filled in place. `alignment`: 0, or a power of two. */
spillring_code spillring_loan_open(spillring_producer* producer, size_t size, size_t alignment,
                                   int64_t timeout_ns, const spillring_metadata* metadata,
                                   spillring_loan** loan);
void* spillring_loan_data(const spillring_loan* loan);
size_t spillring_loan_size(const spillring_loan* loan);
uint64_t spillring_loan_sequence(const spillring_loan* loan);
/* Frees the loan, but for SPILLRING_INVALID: `size` is larger than it. `sequence` may be NULL. */
spillring_code spillring_loan_publish(spillring_loan* loan, size_t size, uint64_t* sequence);
void spillring_loan_cancel(spillring_loan* loan);

/* ---- receiving ---- */

typedef struct spillring_consumer spillring_consumer;
typedef struct spillring_message spillring_message;

typedef struct spillring_consumer_options {
  size_t size;
  uint32_t prefetch;     /* 0: 64; counts in a shared group */
  int32_t from;          /* spillring_from: where the group begins if this call makes it */
  uint64_t from_value;   /* the sequence or the time */
  int32_t interruptible; /* as in spillring_producer_options */
  int32_t reserved;
} spillring_consumer_options;

/* A member of the shared group `group`; NULL: "default". */
spillring_code spillring_consumer_open(const spillring_queue* queue, const char* group,
                                       const spillring_consumer_options* options,
                                       spillring_consumer** consumer);
/* The reader of the stream group `group`; NULL: a subscription of its own. */
spillring_code spillring_subscriber_open(const spillring_queue* queue, const char* group,
                                         const spillring_consumer_options* options,
                                         spillring_consumer** consumer);
void spillring_consumer_free(spillring_consumer* consumer);

spillring_code spillring_receive(spillring_consumer* consumer, int64_t timeout_ns,
                                 spillring_message** message);
/* Waits for the first, then takes what is there. `messages` has room for `most`. */
spillring_code spillring_receive_batch(spillring_consumer* consumer, size_t most,
                                       int64_t timeout_ns, spillring_message** messages,
                                       size_t* count);
spillring_code spillring_wait(spillring_consumer* consumer, int64_t timeout_ns);
/* For epoll and the like: it can be read while a message may be there. The consumer's own. */
spillring_code spillring_consumer_fd(spillring_consumer* consumer, int* fd);
spillring_code spillring_consumer_seek(spillring_consumer* consumer, spillring_from from,
                                       uint64_t value);
uint64_t spillring_consumer_lag(const spillring_consumer* consumer);

const void* spillring_message_data(const spillring_message* message);
size_t spillring_message_size(const spillring_message* message);
/* 1: an atomic batch; its data are all of it, with its table. */
int32_t spillring_message_is_batch(const spillring_message* message);
/* Of a batch the messages in it, of any other message itself as the only part. The count is of this
 * moment: take it once. */
size_t spillring_message_part_count(const spillring_message* message);
/* REQUIRES: `index` is below the count. */
spillring_bytes spillring_message_part(const spillring_message* message, size_t index);
uint64_t spillring_message_sequence(const spillring_message* message);
uint32_t spillring_message_deliveries(const spillring_message* message);
/* How many messages its group has missed before it, dropped or lost; each is told of once. */
uint64_t spillring_message_gap(const spillring_message* message);
int64_t spillring_message_timestamp_ns(const spillring_message* message);
/* What it was sent with; 0: none. */
int64_t spillring_message_ttl_ns(const spillring_message* message);
/* 1: it was peeked at, and its time is over. */
int32_t spillring_message_expired(const spillring_message* message);
/* The key; NULL where it was sent without one. */
const void* spillring_message_key(const spillring_message* message, size_t* size);
size_t spillring_message_header_count(const spillring_message* message);
/* The header at `index`, from 0. Its name ends with a zero byte. REQUIRES: there is one. */
spillring_header spillring_message_header(const spillring_message* message, size_t index);

/* Finishes the message, and frees it whatever is returned. */
spillring_code spillring_message_ack(spillring_message* message);
/* The same, but it stays until it is freed. */
spillring_code spillring_message_settle(spillring_message* message);
/* Hands it back at once, and frees it whatever is returned. */
spillring_code spillring_message_nack(spillring_message* message);
/* The same, but nobody gets it before `delay_ns` has passed. */
spillring_code spillring_message_nack_later(spillring_message* message, int64_t delay_ns);
/* What was not acknowledged is handed back. */
void spillring_message_free(spillring_message* message);

/* Copies of up to `most` messages from sequence `from` on (0: the oldest that somebody needs);
 * nothing changes for anybody. A message is valid during the call of `each`, and cannot be
 * acknowledged. */
spillring_code spillring_peek(const spillring_queue* queue, size_t most, uint64_t from,
                              void (*each)(const spillring_message* message, void* context),
                              void* context);

/* ---- waiting for many ---- */

typedef struct spillring_wait_set spillring_wait_set;

spillring_code spillring_wait_set_open(spillring_wait_set** set);
void spillring_wait_set_free(spillring_wait_set* set);
spillring_code spillring_wait_set_add(spillring_wait_set* set, spillring_consumer* consumer,
                                      uint64_t* id);
spillring_code spillring_wait_set_add_fd(spillring_wait_set* set, int fd, uint64_t* id);
void spillring_wait_set_remove(spillring_wait_set* set, uint64_t id);
/* `ids` has room for `most`; `count` says how many there are. Those left out are told next time. */
spillring_code spillring_wait_set_wait(spillring_wait_set* set, int64_t timeout_ns, uint64_t* ids,
                                       size_t most, size_t* count);
int spillring_wait_set_fd(const spillring_wait_set* set);

#ifdef __cplusplus
}
#endif

#endif
