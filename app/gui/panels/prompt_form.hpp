// What the prompt panel's fields hold, and what they mean: text as typed on one side, checked options on the
// other.
#pragma once

#include <cstdint>
#include <string>

#include "app/gui/workbench/device_choice.hpp"
#include "app/run_setup.hpp"
#include "engine/events/events.hpp"

namespace app::gui {

// An empty number is the checkpoint's, or the policy's, default.
struct PromptForm {
  std::string prompt;
  bool raw = false;
  std::string system;
  int thinking = 0;  // 0: as the template has it, 1: on, 2: off
  std::string tokens = "256", chains = "1";
  std::string temperature = "0", top_p = "1", top_k = "0", seed = "0";
  bool ignore_eos = false;
  int policy = 0;  // index into kPolicies
  std::string window, threshold, target_cr, sinks;
  int quality = 0;  // 0: not measured, 1: the answer, 2: the prompt too
  bool record = true;
};

struct PolicyChoice {
  const char* name;   // as the command line spells it; empty: the checkpoint's own
  const char* title;  // for people
};
inline constexpr PolicyChoice kPolicies[] = {{"", "as the checkpoint asks"},
                                             {"dms", "dms: learned gates"},
                                             {"dense", "dense: keep everything"},
                                             {"window", "window: newest tokens and sinks"},
                                             {"knorm", "knorm: small key norms stay"}};

// Which numbers have a meaning for the policy chosen.
bool takes_window(const PromptForm& form);
bool takes_threshold(const PromptForm& form);
bool takes_sinks(const PromptForm& form);

// The options of a run; an error names the field. Whether a GPU can be used shows when the run starts.
engine::Result<RunOptions> to_run_options(const PromptForm& form, const RunPreferences& preferences = {});
// The fields that would ask for the same: of a run that is known from its trace, and of options.
PromptForm form_of(const engine::RunStarted& run, std::int32_t tokens);
PromptForm form_of(const RunOptions& options, const std::string& prompt);

}  // namespace app::gui
