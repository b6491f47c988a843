#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "engine/policy/policy.hpp"
#include "tests/engine/support/random_model.hpp"

namespace {

using engine::PolicyKind;
using engine::PolicyOptions;

std::shared_ptr<const engine::Model> plain() {
  test::RandomModelOptions options;
  options.gates = engine::GateForm::none;
  return test::random_model(options);
}

void refuse(const PolicyOptions& options, const engine::Model& model, const char* named) {
  const auto facts = engine::resolve_policy(options, model);
  REQUIRE(!facts);
  CHECK(facts.error().code == engine::ErrorCode::bad_input);
  CHECK(facts.error().message.find(named) != std::string::npos);
}

PolicyOptions of(PolicyKind kind) {
  PolicyOptions options;
  options.kind = kind;
  return options;
}

}  // namespace

TEST_CASE("resolve_policy, a DMS checkpoint defaults to its own gates, window and lag") {
  test::RandomModelOptions options;
  options.window = 33;
  const auto facts = engine::resolve_policy({}, *test::random_model(options));
  REQUIRE(facts);
  CHECK(facts->kind == PolicyKind::dms);
  CHECK(facts->window == 33);
  CHECK(facts->lag == 1);
  CHECK(facts->threshold == 0);
}

TEST_CASE("resolve_policy, a plain checkpoint defaults to dense") {
  const auto facts = engine::resolve_policy({}, *plain());
  REQUIRE(facts);
  CHECK(facts->kind == PolicyKind::dense);
}

TEST_CASE("resolve_policy, knorm without a threshold aims at ratio 4") {
  const auto facts = engine::resolve_policy(of(PolicyKind::knorm), *plain());
  REQUIRE(facts);
  CHECK(facts->target_cr == 4);
  CHECK(facts->lag == 0);
}

TEST_CASE("resolve_policy, dms on a checkpoint without gates is refused") {
  refuse(of(PolicyKind::dms), *plain(), "--policy dms");
}

TEST_CASE("resolve_policy, a target ratio together with a threshold is refused") {
  PolicyOptions options = of(PolicyKind::knorm);
  options.threshold = 1;
  options.target_cr = 4;
  refuse(options, *plain(), "--target-cr and --threshold");
}

TEST_CASE("resolve_policy, options without meaning for the policy are refused by name") {
  PolicyOptions window = of(PolicyKind::dense);
  window.window = 3;
  refuse(window, *plain(), "--window");
  PolicyOptions threshold = of(PolicyKind::window);
  threshold.threshold = 1;
  refuse(threshold, *plain(), "--threshold");
  PolicyOptions target = of(PolicyKind::dense);
  target.target_cr = 2;
  refuse(target, *plain(), "--target-cr");
  PolicyOptions sinks = of(PolicyKind::knorm);
  sinks.sinks = 4;
  refuse(sinks, *plain(), "--sinks");
}

TEST_CASE("resolve_policy, values outside their range are refused") {
  PolicyOptions window = of(PolicyKind::window);
  window.window = -1;
  refuse(window, *plain(), "--window -1");
  PolicyOptions nan = of(PolicyKind::knorm);
  nan.threshold = std::numeric_limits<double>::quiet_NaN();
  refuse(nan, *plain(), "--threshold");
  PolicyOptions ratio = of(PolicyKind::knorm);
  ratio.target_cr = 0.5;
  refuse(ratio, *plain(), "--target-cr");
}

TEST_CASE("resolve_policy, a policy that is not built is refused by name") {
  for (const PolicyKind kind : {PolicyKind::tova, PolicyKind::h2o, PolicyKind::quest, PolicyKind::dmc}) {
    refuse(of(kind), *plain(), engine::name_of(kind));
  }
}
