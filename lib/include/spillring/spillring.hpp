// Everything a client needs.
#pragma once

#include "spillring/client.hpp"
#include "spillring/consumer.hpp"
#include "spillring/disk_alarm.hpp"
#include "spillring/error.hpp"
#include "spillring/message.hpp"
#include "spillring/options.hpp"
#include "spillring/parts.hpp"
#include "spillring/producer.hpp"
#include "spillring/queue.hpp"
#include "spillring/result.hpp"
#include "spillring/version.hpp"
#include "spillring/wait_set.hpp"
