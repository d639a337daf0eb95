# The verbs beside `all`.

.PHONY: clean tests
tests: $(tests)

clean:
	rm -rf $(BUILD)
