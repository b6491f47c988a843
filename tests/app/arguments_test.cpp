// Options are read strictly, and what is wrong with them is one line that names the option.
#include "app/arguments.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "app/options.hpp"
#include "engine/backend/devices.hpp"

namespace {

struct All {
  app::DeviceOptions device;
  app::PolicyArguments policy;
  engine::SamplingOptions sampling;
};

engine::Result<app::Parsed> parse(All& all, const std::vector<std::string>& arguments) {
  CLI::App command("test", "dmscope test");
  app::add_device_options(command, all.device);
  app::add_policy_options(command, all.policy);
  app::add_sampling_options(command, all.sampling);
  app::Console console;
  return app::parse_arguments(command, arguments, console);
}

struct Refused {
  std::vector<std::string> arguments;
  std::string message;
};

}  // namespace

TEST_CASE("Arguments, numbers in range are taken") {
  All all;
  const std::vector<std::string> arguments{"--threads",     "3",
                                           "--window",      "2147483647",
                                           "--threshold",   "-1.5e2",
                                           "--sinks",       "0",
                                           "--top-p",       "0.5",
                                           "--top-k",       "7",
                                           "--seed",        "18446744073709551615",
                                           "--temperature", "0.7"};
  REQUIRE(parse(all, arguments));
  CHECK(all.device.threads == 3);
  CHECK(all.policy.options.window == 2147483647);
  CHECK(all.policy.options.threshold == -150.0);
  CHECK(all.policy.options.sinks == 0);
  CHECK_FALSE(all.policy.options.target_cr);
  CHECK(all.sampling.top_p == 0.5);
  CHECK(all.sampling.top_k == 7);
  CHECK(all.sampling.seed == UINT64_MAX);
  CHECK(all.sampling.temperature == 0.7);
}

TEST_CASE("Arguments, an option that is not given stays unset") {
  All all;
  REQUIRE(parse(all, {}));
  CHECK_FALSE(all.policy.name);
  CHECK_FALSE(all.policy.options.window);
  CHECK_FALSE(all.policy.options.threshold);
  CHECK(all.device.device == "auto");
}

TEST_CASE("Arguments, what is out of range or malformed is refused by name") {
  const auto refused = GENERATE(values<Refused>({
      {{"--window", "-1"}, "--window: expected a whole number from 0 to 2147483647, got '-1'"},
      {{"--window", "2147483648"},
       "--window: expected a whole number from 0 to 2147483647, got '2147483648'"},
      {{"--window", "99999999999999999999"},
       "--window: expected a whole number from 0 to 2147483647, got '99999999999999999999'"},
      {{"--window", "1e3"}, "--window: expected a whole number from 0 to 2147483647, got '1e3'"},
      {{"--window", "0x10"}, "--window: expected a whole number from 0 to 2147483647, got '0x10'"},
      {{"--window", " 5"}, "--window: expected a whole number from 0 to 2147483647, got ' 5'"},
      {{"--window", ""}, "--window: expected a whole number from 0 to 2147483647, got ''"},
      {{"--threshold", "nan"}, "--threshold: expected a finite number, got 'nan'"},
      {{"--threshold", "inf"}, "--threshold: expected a finite number, got 'inf'"},
      {{"--threshold", "1e999"}, "--threshold: expected a finite number, got '1e999'"},
      {{"--target-cr", "0.5"}, "--target-cr: expected a finite number of at least 1, got '0.5'"},
      {{"--threads", "0"}, "--threads: expected a whole number from 1 to 1024, got '0'"},
      {{"--temperature", "-0.1"}, "--temperature: expected a finite number of at least 0, got '-0.1'"},
      {{"--top-p", "0"}, "--top-p: expected a number above 0 and at most 1, got '0'"},
      {{"--top-p", "1.01"}, "--top-p: expected a number above 0 and at most 1, got '1.01'"},
      {{"--top-k", "-3"}, "--top-k: expected a whole number from 0 to 2147483647, got '-3'"},
      {{"--seed", "-1"}, "--seed: expected a whole number from 0 to 18446744073709551615, got '-1'"},
      {{"--no-such"}, "unknown or misplaced argument '--no-such'"},
      {{"stray", "words"}, "unknown or misplaced argument 'stray' 'words'"},
  }));
  All all;
  const auto parsed = parse(all, refused.arguments);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == engine::ErrorCode::bad_input);
  CHECK(parsed.error().message == refused.message);
}

TEST_CASE("Arguments, a missing value and an option given twice are refused by name") {
  const auto arguments = GENERATE(std::vector<std::string>{"--window"},
                                  std::vector<std::string>{"--window", "1", "--window", "2"});
  All all;
  const auto parsed = parse(all, arguments);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message.find("--window") != std::string::npos);
}

TEST_CASE("Arguments, a value may begin with a dash or look like a list") {
  CLI::App command("test", "dmscope test");
  std::optional<std::string> text;
  command.add_option("--prompt", text);
  app::Console console;
  const auto value = GENERATE("-5 degrees", "--window", "[1, 2]", "{}", "a,b", "%1", "");
  REQUIRE(app::parse_arguments(command, std::vector<std::string>{"--prompt", value}, console));
  CHECK(text == value);
}

TEST_CASE("Options, policies that are not built are refused by name") {
  const auto name = GENERATE("tova", "h2o", "quest", "dmc");
  app::PolicyArguments policy;
  policy.name = name;
  const auto options = app::to_policy_options(policy);
  REQUIRE_FALSE(options);
  CHECK(options.error().message == std::string("--policy ") + name + ": not built in this version");
}

TEST_CASE("Options, a device that this machine lacks is refused with the reason") {
  app::DeviceOptions device;
  device.device = "cuda:255";
  const auto backend = app::to_backend_options(device);
  REQUIRE_FALSE(backend);
  const engine::GpuSurvey survey = engine::survey_gpus();
  CHECK(backend.error().message.starts_with("--device cuda"));
  if (!survey.reason.empty()) CHECK(backend.error().message == "--device cuda: " + survey.reason);
}

TEST_CASE("Options, a device's name is read strictly") {
  app::DeviceOptions device;
  device.device = GENERATE("gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:256", "CPU", "");
  const auto backend = app::to_backend_options(device);
  REQUIRE_FALSE(backend);
  CHECK(backend.error().message.starts_with("--device: expected auto, cpu, cuda or cuda:N"));
}

TEST_CASE("Options, what has a meaning on one device only is refused on the other") {
  app::DeviceOptions device;
  device.device = GENERATE("auto", "cpu");
  device.no_graph = true;
  REQUIRE_FALSE(app::to_backend_options(device));
  device.device = "cuda";
  device.no_graph = false;
  device.reference = true;
  const auto backend = app::to_backend_options(device);
  REQUIRE_FALSE(backend);
  CHECK(backend.error().message.find("--reference") != std::string::npos);
}

TEST_CASE("Options, a target ratio and a threshold exclude each other") {
  app::PolicyArguments policy;
  policy.options.target_cr = 4;
  policy.options.threshold = 1;
  const auto options = app::to_policy_options(policy);
  REQUIRE_FALSE(options);
  CHECK(options.error().message.starts_with("--target-cr"));
}

TEST_CASE("Options, an option of CUDA alone is refused on the CPU") {
  app::DeviceOptions device;
  device.no_graph = true;
  const auto backend = app::to_backend_options(device);
  REQUIRE_FALSE(backend);
  CHECK(backend.error().message.starts_with("--no-graph"));
}
