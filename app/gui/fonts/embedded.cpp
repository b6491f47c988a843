// The build defines DMSCOPE_FONT_...: the assembler copies each file between two symbols.
#include "app/gui/fonts/embedded.hpp"

// NOLINTNEXTLINE: there is no other way to put a file into an object without generating megabytes of source.
#define DMSCOPE_EMBED(name, file)                                                                    \
  asm(".section .rodata\n.balign 16\n.global dmscope_" #name "\ndmscope_" #name ":\n.incbin \"" file \
      "\"\n.global dmscope_" #name "_end\ndmscope_" #name "_end:\n.byte 0\n.previous\n");            \
  extern "C" const std::byte dmscope_##name[];                                                       \
  extern "C" const std::byte dmscope_##name##_end[];                                                 \
  namespace app::gui::embedded {                                                                     \
  std::span<const std::byte> name() {                                                                \
    return {dmscope_##name, dmscope_##name##_end};                                                   \
  }                                                                                                  \
  }

DMSCOPE_EMBED(inter_regular, DMSCOPE_FONT_INTER_REGULAR)
DMSCOPE_EMBED(inter_semibold, DMSCOPE_FONT_INTER_SEMIBOLD)
DMSCOPE_EMBED(inter_bold, DMSCOPE_FONT_INTER_BOLD)
DMSCOPE_EMBED(mono_regular, DMSCOPE_FONT_MONO_REGULAR)
DMSCOPE_EMBED(mono_semibold, DMSCOPE_FONT_MONO_SEMIBOLD)
DMSCOPE_EMBED(icons, DMSCOPE_FONT_ICONS)
