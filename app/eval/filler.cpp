#include "app/eval/filler.hpp"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace app::eval {

namespace {

constexpr std::array<std::string_view, 20> kPeople{
    "The baker",           "A young engineer",   "The old ferryman", "Her neighbour", "The night watchman",
    "A travelling singer", "The librarian",      "The gardener",     "Their teacher", "A retired pilot",
    "The clockmaker",      "The harbour master", "A quiet student",  "The postman",   "The beekeeper",
    "An apprentice",       "The stonemason",     "A visiting cook",  "The shepherd",  "The map seller"};
constexpr std::array<std::string_view, 20> kActions{
    "repaired", "carried home", "painted",  "looked for", "forgot about", "wrote down",  "talked about",
    "borrowed", "sketched",     "polished", "wrapped up", "counted",      "put away",    "described",
    "sold",     "asked for",    "kept",     "measured",   "found",        "photographed"};
constexpr std::array<std::string_view, 20> kThings{
    "a wooden ladder",      "the copper kettle", "a basket of pears",   "the torn sail",
    "an empty notebook",    "the garden gate",   "a pair of boots",     "the brass telescope",
    "a box of candles",     "the long rope",     "a loaf of rye bread", "the village map",
    "a blue umbrella",      "the broken radio",  "a jar of honey",      "the stone bench",
    "an unfinished letter", "the spare wheel",   "a woollen blanket",   "the iron key"};
constexpr std::array<std::string_view, 16> kPlaces{
    "behind the mill",         "near the old bridge",  "at the edge of the forest", "in the market square",
    "under the chestnut tree", "beside the canal",     "in a narrow street",        "on the upper terrace",
    "close to the station",    "along the coast road", "in the empty theatre",      "by the lighthouse",
    "at the top of the hill",  "in the back room",     "across the meadow",         "outside the workshop"};
constexpr std::array<std::string_view, 16> kTimes{
    "before the rain came",   "on a cold morning",           "after the evening meal",
    "while the others slept", "as the fog lifted",           "during the long strike",
    "when the music stopped", "in the first week of spring", "late in the afternoon",
    "between two trains",     "on the day of the fair",      "just before sunset",
    "without telling anyone", "for the second time",         "with great care",
    "to everyone's surprise"};

template <std::size_t size>
std::string_view pick(const std::array<std::string_view, size>& words, Random& random) {
  return words[random.below(size)];
}

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

std::string Random::number(int digits) {
  std::string text(1, static_cast<char>('1' + below(9)));
  for (int digit = 1; digit < digits; ++digit) text += static_cast<char>('0' + below(10));
  return text;
}

std::string prose_sentence(Random& random) {
  // Drawn one after the other: the order in which a call's arguments are evaluated is the compiler's.
  const auto who = pick(kPeople, random);
  const auto did = pick(kActions, random);
  const auto what = pick(kThings, random);
  const auto where = pick(kPlaces, random);
  const auto when = pick(kTimes, random);
  switch (random.below(3)) {
    case 0:
      return fmt::format("{} {} {} {} {}.", who, did, what, where, when);
    case 1:
      return fmt::format("{} {} {} {}.", who, did, what, when);
    default:
      return fmt::format("{} {} {} {}.", who, did, what, where);
  }
}

}  // namespace app::eval
