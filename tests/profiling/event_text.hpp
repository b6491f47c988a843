// Every field of an event as text, so that tests can compare and print events. Logits as half precision keeps
// them.
#pragma once

#include <string>
#include <vector>

#include "engine/events/events.hpp"

namespace profiling_test {

std::string event_text(const engine::Event& event);
std::vector<std::string> event_texts(const std::vector<engine::Event>& events);

}  // namespace profiling_test
