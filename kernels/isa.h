/* isa: names of what is compiled once per instruction set. SJK_ISA is the set that the Makefile compiles for. */
#ifndef SJK_ISA_H
#define SJK_ISA_H

#include "cpu.h"

#define SJK_PASTE_(name, isa) name##_##isa
#define SJK_PASTE(name, isa) SJK_PASTE_(name, isa)
#define SJK_TEXT_(x) #x
#define SJK_TEXT(x) SJK_TEXT_(x)

/* NAME_avx2 and so on. */
#define SJK_FOR_ISA(name) SJK_PASTE(name, SJK_ISA)

#endif
