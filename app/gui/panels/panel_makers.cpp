#include "app/gui/panels/panel_makers.hpp"

#include "app/gui/panels/history_panel.hpp"
#include "app/gui/panels/log_panel.hpp"
#include "app/gui/panels/prompt_panel.hpp"
#include "app/gui/panels/text_panel.hpp"

namespace app::gui {

namespace {

template <typename Kind>
PanelMaker make() {
  return [] { return std::make_unique<Kind>(); };
}

}  // namespace

std::map<std::string, PanelMaker> panel_makers() {
  return {
      {"history", make<HistoryPanel>()},
      {"log", make<LogPanel>()},
      {"prompt", make<PromptPanel>()},
      {"text", make<TextPanel>()},
  };
}

}  // namespace app::gui
