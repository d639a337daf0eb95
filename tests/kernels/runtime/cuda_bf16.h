/* Nothing that the tests of the device's memory need. */
