#include "app/eval/settings_grid.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/support/checkpoint_builder.hpp"
#include "tests/support/temp_folder.hpp"

using app::eval::GridOptions;

namespace {

std::shared_ptr<const engine::Model> model(support::Gates gates) {
  const support::TempFolder folder;
  support::CheckpointOptions options;
  options.gates = gates;
  support::make_checkpoint(options).write(folder / "model");
  auto loaded = engine::load_model(folder / "model");
  REQUIRE(loaded);
  return *loaded;
}

std::vector<std::string> names(const GridOptions& options,
                               support::Gates gates = support::Gates::nvidia_adapter) {
  const auto grid = app::eval::settings_grid(options, *model(gates));
  if (!grid) FAIL(grid.error().message);
  std::vector<std::string> result;
  for (const auto& setting : *grid) result.push_back(setting.name);
  return result;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("settings_grid, is dense and the gates' own setting where nothing is asked for") {
  CHECK(names({}) == Names{"dense", "dms"});
  CHECK(names({}, support::Gates::none) == Names{"dense"});
}

TEST_CASE("settings_grid, combines what has a meaning, each setting once") {
  GridOptions options;
  options.policies = {"dense", "dms", "window", "knorm"};
  options.windows = {16, 32};
  options.ratios = {2, 4, 4};
  CHECK(names(options) == Names{"dense", "dms, window 16, CR 2", "dms, window 16, CR 4",
                                "dms, window 32, CR 2", "dms, window 32, CR 4", "window, CR 2",
                                "window, CR 4", "window, window 16", "window, window 32",
                                "knorm, window 16, CR 2", "knorm, window 16, CR 4", "knorm, window 32, CR 2",
                                "knorm, window 32, CR 4"});
  options.policies = {"dms"};
  options.windows = {};
  options.ratios = {};
  options.thresholds = {-0.5, 1};
  CHECK(names(options) == Names{"dms, threshold -0.5", "dms, threshold 1"});
}

TEST_CASE("policy_for, a sliding window meets a ratio by its length") {
  GridOptions options;
  options.policies = {"window"};
  options.ratios = {4};
  const auto grid = app::eval::settings_grid(options, *model(support::Gates::none));
  REQUIRE(grid);
  CHECK(*policy_for(grid->front(), 1000).window == 245);  // with four sinks and the token itself: 250
  CHECK(*policy_for(grid->front(), 8).window == 0);
}

TEST_CASE("settings_grid, refuses what the checkpoint cannot run, by name") {
  GridOptions options;
  options.policies = {"dms"};
  const auto gateless = app::eval::settings_grid(options, *model(support::Gates::none));
  REQUIRE(!gateless);
  CHECK(gateless.error().message.find("no DMS gates") != std::string::npos);
  options.policies = {"dense", "magic"};
  const auto unknown = app::eval::settings_grid(options, *model(support::Gates::none));
  REQUIRE(!unknown);
  CHECK(unknown.error().message.find("got 'magic'") != std::string::npos);
}
