#include "engine/policy/policy.hpp"

#include <array>
#include <cassert>

namespace engine {

namespace {

struct NamedKind {
  PolicyKind kind;
  const char* name;
};
constexpr std::array<NamedKind, 8> kNames{{{PolicyKind::dense, "dense"},
                                           {PolicyKind::dms, "dms"},
                                           {PolicyKind::window, "window"},
                                           {PolicyKind::tova, "tova"},
                                           {PolicyKind::h2o, "h2o"},
                                           {PolicyKind::quest, "quest"},
                                           {PolicyKind::dmc, "dmc"},
                                           {PolicyKind::knorm, "knorm"}}};

}  // namespace

const char* name_of(PolicyKind kind) {
  for (const NamedKind& named : kNames) {
    if (named.kind == kind) return named.name;
  }
  return "";
}

std::optional<PolicyKind> policy_named(std::string_view name) {
  for (const NamedKind& named : kNames) {
    if (named.name == name) return named.kind;
  }
  return std::nullopt;
}

// A closed-form policy never gets here: its backend uses mark() and admit() of the cache.
Admission Policy::admit(const HeadRef&, const HeadCache&, std::int32_t) {
  assert(!facts().closed_form);
  return {};
}

void Policy::select(const HeadRef&, const HeadCache&, std::span<const float>, std::vector<SlotRange>&) {}
void Policy::observe(const HeadRef&, const HeadCache&, std::span<const float>, int) {}
void Policy::fork(SequenceId, SequenceId) {}
void Policy::end(SequenceId) {}

}  // namespace engine
