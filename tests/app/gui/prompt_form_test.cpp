#include "app/gui/panels/prompt_form.hpp"

#include <catch2/catch_test_macros.hpp>

using app::gui::form_of;
using app::gui::PromptForm;
using app::gui::to_run_options;

namespace {

PromptForm full() {
  PromptForm form;
  form.prompt = "Tell me.";
  form.system = "You are brief.";
  form.thinking = 2;
  form.tokens = "77";
  form.chains = "3";
  form.temperature = "0.7";
  form.top_p = "0.9";
  form.top_k = "40";
  form.seed = "11";
  form.ignore_eos = true;
  form.policy = 1;
  form.window = "32";
  form.threshold = "-0.25";
  form.quality = 2;
  return form;
}

}  // namespace

TEST_CASE("form_of, fills in what a run was asked for, field by field") {
  const PromptForm form = full();
  const auto options = to_run_options(form);
  REQUIRE(options);
  const PromptForm again = form_of(*options, form.prompt);
  CHECK(again.prompt == form.prompt);
  CHECK(again.raw == form.raw);
  CHECK(again.system == form.system);
  CHECK(again.thinking == form.thinking);
  CHECK(again.tokens == form.tokens);
  CHECK(again.chains == form.chains);
  CHECK(again.temperature == form.temperature);
  CHECK(again.top_p == form.top_p);
  CHECK(again.top_k == form.top_k);
  CHECK(again.seed == form.seed);
  CHECK(again.ignore_eos == form.ignore_eos);
  CHECK(again.policy == form.policy);
  CHECK(again.window == form.window);
  CHECK(again.threshold == form.threshold);
  CHECK(again.target_cr == form.target_cr);
  CHECK(again.sinks == form.sinks);
  CHECK(again.quality == form.quality);
}

TEST_CASE("form_of, leaves the checkpoint's own where nothing else was asked for") {
  app::RunOptions options;
  const PromptForm form = form_of(options, "x");
  CHECK(form.policy == 0);
  CHECK(form.window.empty());
  CHECK(form.threshold.empty());
  CHECK(form.target_cr.empty());
}

TEST_CASE("to_run_options, names the field that is wrong") {
  const auto refused = [](PromptForm form, const char* start) {
    const auto options = to_run_options(form);
    REQUIRE(!options);
    CAPTURE(options.error().message);
    CHECK(options.error().message.starts_with(start));
  };
  PromptForm form = full();
  form.prompt.clear();
  refused(form, "Prompt: ");
  form = full();
  form.tokens = "many";
  refused(form, "Tokens: ");
  form = full();
  form.window = "-1";
  refused(form, "Window: ");
  form = full();
  form.target_cr = "4";
  refused(form, "Target CR: ");
}

TEST_CASE("takes_sinks, is the sliding window's alone") {
  PromptForm form;
  for (int policy = 0; policy < static_cast<int>(std::size(app::gui::kPolicies)); ++policy) {
    form.policy = policy;
    CHECK(takes_sinks(form) == (std::string(app::gui::kPolicies[policy].name) == "window"));
  }
}
