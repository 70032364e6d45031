#include "daemon/accounts.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace spillring::daemon {
namespace {

using Item = Accounts::Item;

const uid_t somebody = ::geteuid() + 1;

TEST(AccountsTest, AJournalIsLimitedByItsQuota) {
  EXPECT_EQ(Accounts({.journal = 4096}).most(somebody, Item::journal), 4096U);
}

TEST(AccountsTest, AQuotaOfNothingIsNoLimit) {
  EXPECT_EQ(Accounts({.journal = 0}).most(somebody, Item::journal), UINT64_MAX);
}

TEST(AccountsTest, RootAndTheSupervisorsUserAreNotLimited) {
  const Accounts accounts({.queues = 1, .journal = 4096});
  for (const uid_t user : {uid_t{0}, ::geteuid()}) {
    EXPECT_EQ(accounts.most(user, Item::journal), UINT64_MAX);
    EXPECT_EQ(accounts.most(user, Item::queue), UINT64_MAX);
  }
}

TEST(AccountsTest, AChargeThatIsReplacedIsGivenBack) {
  Accounts accounts({});
  Accounts::Charge charge = accounts.adopt(somebody, Item::journal, 100);
  charge = accounts.adopt(somebody, Item::journal, 30);
  EXPECT_EQ(accounts.used(somebody, Item::journal), 30U);
}

}  // namespace
}  // namespace spillring::daemon
