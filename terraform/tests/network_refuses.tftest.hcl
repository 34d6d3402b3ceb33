# Each range, zone list and port that the network must refuse at plan time.

mock_provider "aws" {}

variables {
  name  = "k2tog"
  cidr  = "10.20.0.0/16"
  zones = ["ap-southeast-2a", "ap-southeast-2b"]
  traffic = {
    web = { ports = [80], allowed_cidrs = ["0.0.0.0/0"], egress_ports = [443] }
  }
}

run "a_name_with_a_space_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name = "k2 tog"
  }

  expect_failures = [var.name]
}

run "a_name_of_41_characters_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name = "a2345678901234567890123456789012345678901"
  }

  expect_failures = [var.name]
}

run "a_range_that_is_none_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr = "10.20.0.0"
  }

  expect_failures = [var.cidr]
}

run "a_range_of_ipv6_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr = "fd00::/16"
  }

  expect_failures = [var.cidr]
}

run "a_range_not_at_its_first_address_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr = "10.20.1.0/16"
  }

  expect_failures = [var.cidr]
}

run "a_range_larger_than_aws_takes_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr = "10.0.0.0/15"
  }

  expect_failures = [var.cidr]
}

run "a_range_too_small_for_subnets_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr = "10.20.0.0/25"
  }

  expect_failures = [var.cidr]
}

run "a_public_range_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr = "203.0.112.0/20"
  }

  expect_failures = [var.cidr]
}

run "a_range_beside_the_private_172_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr = "172.32.0.0/16"
  }

  expect_failures = [var.cidr]
}

run "a_single_zone_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    zones = ["ap-southeast-2a"]
  }

  expect_failures = [var.zones]
}

run "the_same_zone_twice_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    zones = ["ap-southeast-2a", "ap-southeast-2a"]
  }

  expect_failures = [var.zones]
}

run "port_0_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    traffic = { web = { ports = [0], allowed_cidrs = [], egress_ports = [] } }
  }

  expect_failures = [var.traffic]
}

run "half_a_port_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    traffic = { web = { ports = [80.5], allowed_cidrs = [], egress_ports = [] } }
  }

  expect_failures = [var.traffic]
}

run "an_egress_port_above_65535_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    traffic = { web = { ports = [], allowed_cidrs = [], egress_ports = [65536] } }
  }

  expect_failures = [var.traffic]
}

run "an_address_without_a_mask_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    traffic = { web = { ports = [80], allowed_cidrs = ["203.0.113.7"], egress_ports = [] } }
  }

  expect_failures = [var.traffic]
}

run "an_allowed_range_not_at_its_first_address_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    traffic = { web = { ports = [80], allowed_cidrs = ["203.0.113.7/24"], egress_ports = [] } }
  }

  expect_failures = [var.traffic]
}

run "a_name_that_starts_as_a_security_groups_id_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name = "Sg-shop"
  }

  expect_failures = [var.name]
}
