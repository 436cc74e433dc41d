# The only table from a source file's suffix to compiler flags: <anything>x86_avx2.cc gets the flags of
# x86_avx2. Files of another architecture, or of an ISA that this compiler does not know, are left out;
# EDGE_HAVE_<SUFFIX> tells the code which ones are in.
set(EDGE_ISA_x86_sse41 -msse4.1)
set(EDGE_ISA_x86_avx2 -mavx2 -mfma -mf16c)
set(EDGE_ISA_x86_avxvnni -mavx2 -mfma -mf16c -mavxvnni)
set(EDGE_ISA_x86_avx512vnni -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl
                            -mavx512vnni)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 takes the undefined operands inside its own intrinsics for uninitialized reads (PR 105593).
  list(APPEND EDGE_ISA_x86_avx512vnni -Wno-uninitialized -Wno-maybe-uninitialized)
endif()
set(EDGE_ISA_arm_neon -march=armv8-a)
set(EDGE_ISA_arm_dotprod -march=armv8.2-a+dotprod)
set(EDGE_ISA_arm_i8mm -march=armv8.2-a+dotprod+i8mm)
set(EDGE_ISAS x86_sse41 x86_avx2 x86_avxvnni x86_avx512vnni arm_neon arm_dotprod arm_i8mm)

include(CheckCXXCompilerFlag)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(edge_arch x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|armv[78].*)$")
  set(edge_arch arm)
else()
  set(edge_arch none) # scalar kernels only
endif()

# 32-bit ARM, also where the system's kernel has 64. Its compilers know the flags of newer ISAs, but
# not the intrinsics that the files of these use.
if(edge_arch STREQUAL "arm" AND CMAKE_SIZEOF_VOID_P EQUAL 4)
  set(EDGE_ISA_arm_neon -march=armv7-a -mfpu=neon)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 does not see that a last tap alone has no partner.
    list(APPEND EDGE_ISA_arm_neon -Wno-maybe-uninitialized)
  endif()
  set(edge_left_out arm_dotprod arm_i8mm)
endif()

foreach(isa ${EDGE_ISAS})
  if(isa MATCHES "^${edge_arch}_" AND NOT isa IN_LIST edge_left_out)
    string(REPLACE ";" " " flags "${EDGE_ISA_${isa}}")
    string(TOUPPER "EDGE_HAVE_${isa}" have)
    check_cxx_compiler_flag("${flags}" ${have})
  endif()
endforeach()

# Adds the sources to the target, each with its ISA's flags.
function(edge_target_sources target)
  foreach(source ${ARGN})
    if(source MATCHES "[/_]((x86|arm)_[a-z0-9]+)(_[a-z0-9_]+)?\\.cc$")
      set(isa ${CMAKE_MATCH_1})
      if(NOT isa IN_LIST EDGE_ISAS)
        message(FATAL_ERROR "${source}: no flags for ${isa}; add it to native/cmake/isa_flags.cmake")
      endif()
      string(TOUPPER "EDGE_HAVE_${isa}" have)
      if(NOT ${have})
        continue()
      endif()
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${EDGE_ISA_${isa}}"
                                             SKIP_PRECOMPILE_HEADERS ON)
    endif()
    target_sources(${target} PRIVATE ${source})
  endforeach()
  foreach(isa ${EDGE_ISAS})
    string(TOUPPER "EDGE_HAVE_${isa}" have)
    if(${have})
      target_compile_definitions(${target} PUBLIC ${have}=1)
    endif()
  endforeach()
endfunction()
