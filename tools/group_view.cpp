#include "group_view.hpp"

#include "queue_view.hpp"

namespace spillring::tools {

namespace {

std::string name_of(GroupKind kind) { return kind == GroupKind::shared ? "shared" : "stream"; }

}  // namespace

Json json_of(const GroupInfo& group) {
  return {{"name", group.name},
          {"kind", name_of(group.kind)},
          {"floor", group.floor},
          {"lag", group.lag},
          {"members", group.members},
          {"unacked", group.unacked},
          {"read_back", group.read_back},
          {"read_back_bytes", group.read_back_bytes},
          {"expired", group.expired},
          {"dropped", group.dropped},
          {"expires_in", group.expires_in ? Json(seconds(*group.expires_in)) : Json(nullptr)}};
}

Table table_of_groups(const std::vector<GroupInfo>& groups) {
  Table table({{"GROUP"},
               {"KIND"},
               {"FLOOR", true},
               {"LAG", true},
               {"MEMBERS", true},
               {"UNACKED", true},
               {"DROPPED", true},
               {"EXPIRES", true}});
  for (const GroupInfo& group : groups) {
    table.add({text_cell(group.name.empty() ? "(broadcast)" : group.name),
               text_cell(name_of(group.kind)), count_cell(group.floor), count_cell(group.lag),
               count_cell(group.members), count_cell(group.unacked), count_cell(group.dropped),
               age_cell(group.expires_in)});
  }
  return table;
}

}  // namespace spillring::tools
