// Every panel of the catalogue, made on first use.
#pragma once

#include <map>
#include <string>

#include "app/gui/shell/panel.hpp"

namespace app::gui {

std::map<std::string, PanelMaker> panel_makers();

}  // namespace app::gui
