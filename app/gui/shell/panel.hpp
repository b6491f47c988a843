// A panel of the window: one class, one file pair, drawn from a snapshot that never changes under it.
//
// A panel keeps only its own view state (scroll, sort order). It does no I/O and never waits. What it does to
// the run or to other panels goes through the workbench.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/gui/shell/commands.hpp"
#include "app/gui/shell/notices.hpp"
#include "app/gui/widgets/ui.hpp"
#include "app/gui/workbench/workbench.hpp"

namespace app::gui {

struct PanelContext {
  Workbench& bench;
  const Commands& commands;
  Notices& notices;
  Ui& ui;
};

class Panel {
 public:
  virtual ~Panel() = default;
  // Inside the panel's window, with something to show.
  virtual void draw(PanelContext& context) = 0;
  // Whether it has something to show; if not, the empty state of its description is drawn.
  virtual bool has_data(const PanelContext& context) const { return context.bench.has_run(); }
};

// What is known of a panel without making it.
struct PanelInfo {
  std::string name;   // as the command line and the settings spell it
  std::string title;  // on its tab
  std::string empty;  // why it shows nothing yet
};

// Every panel of the window in the order of the View menu.
const std::vector<PanelInfo>& panel_catalogue();
const PanelInfo* panel_named(std::string_view name);

// The makers of the panels, by name; a name of the catalogue without one shows its empty state.
using PanelMaker = std::function<std::unique_ptr<Panel>()>;

}  // namespace app::gui
