# wants.mk: $(call wants,NAME): the run ends when the variable is not given, with an example that has it from the head
# of the makefile that is run.

comma  := ,
main    = $(firstword $(MAKEFILE_LIST))
wants   = $(if $($(1)),,$(error $(1)=... must be given$(call example,$(1)) (see the head of $(main))))
example = $(shell sed -n '/^.   make .*\b$(1)=/ { s/^.   /$(comma) as in: /; s/   *.*//; p; q }' $(main))

# $(call there,NAME): the run ends when a file or folder of the variable is not there.
there   = $(foreach f,$($(1)),$(if $(wildcard $(f)),,$(error $(1)=$(f): there is no such file or folder)))
