# Each size, name, strategy and container that Fargate or ECS would refuse at apply time, refused at plan time.

mock_provider "aws" {}

variables {
  cluster_name       = "k2tog"
  region             = "ap-southeast-2"
  account_id         = "123456789012"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = { web = "sg-1" }
  services           = { web = { containers = { web = { image = "web:1" } } } }
}

run "a_cluster_name_that_starts_with_a_digit_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    cluster_name = "2k"
  }

  expect_failures = [var.cluster_name]
}

run "unknown_container_insights_are_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    container_insights = "on"
  }

  expect_failures = [var.container_insights]
}

run "a_retention_that_cloudwatch_lacks_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "a_service_name_with_a_dot_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { "we.b" = { containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "a_service_name_too_long_for_its_security_group_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { (format("a%0194d", 0)) = { containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "cpu_that_fargate_lacks_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { cpu = 300, containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "memory_too_small_for_its_cpu_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { cpu = 1024, memory = 1024, containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "memory_too_large_for_its_cpu_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { cpu = 256, memory = 4096, containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "memory_between_the_steps_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { cpu = 2048, memory = 5000, containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "memory_off_the_steps_of_the_large_sizes_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { cpu = 8192, memory = 17408, containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "an_unknown_architecture_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { cpu_architecture = "arm64", containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "a_negative_count_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { desired_count = -1, containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "half_a_task_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { desired_count = 0.5, containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "the_launch_type_ec2_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { launch_type = "EC2", containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "a_launch_type_with_a_strategy_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { launch_type = "FARGATE", capacity_provider_strategy = [{ capacity_provider = "FARGATE" }], containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "a_provider_that_is_not_fargate_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { capacity_provider_strategy = [{ capacity_provider = "my-asg" }], containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "the_same_provider_twice_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { capacity_provider_strategy = [{ capacity_provider = "FARGATE" }, { capacity_provider = "FARGATE" }], containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "a_strategy_without_weight_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { capacity_provider_strategy = [{ capacity_provider = "FARGATE", weight = 0 }], containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "two_bases_are_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { capacity_provider_strategy = [{ capacity_provider = "FARGATE", base = 1 }, { capacity_provider = "FARGATE_SPOT", base = 1 }], containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "a_weight_above_1000_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { capacity_provider_strategy = [{ capacity_provider = "FARGATE", weight = 1001 }], containers = { web = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "a_service_without_containers_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = {} } }
  }

  expect_failures = [var.services]
}

run "a_service_without_an_essential_container_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { web = { image = "web:1", essential = false } } } }
  }

  expect_failures = [var.services]
}

run "a_container_name_with_a_dot_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { "we.b" = { image = "web:1" } } } }
  }

  expect_failures = [var.services]
}

run "an_image_with_a_scheme_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { web = { image = "https://example.com/web:1" } } } }
  }

  expect_failures = [var.services]
}

run "an_image_with_a_space_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { web = { image = "web: 1" } } } }
  }

  expect_failures = [var.services]
}

run "an_empty_image_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { web = { image = "" } } } }
  }

  expect_failures = [var.services]
}

run "a_port_above_65535_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { web = { image = "web:1", ports = [65536] } } } }
  }

  expect_failures = [var.services]
}

run "a_port_that_two_containers_share_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { a = { image = "web:1", ports = [80] }, b = { image = "web:1", ports = [80] } } } }
  }

  expect_failures = [var.services]
}

run "a_secret_that_is_no_arn_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { web = { image = "web:1", secrets = { PASSWORD = "hunter2" } } } } }
  }

  expect_failures = [var.services]
}

run "a_registry_secret_of_another_service_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { web = { image = "web:1", registry_secret_arn = "arn:aws:ssm:ap-southeast-2:123456789012:parameter/registry" } } } }
  }

  expect_failures = [var.services]
}

run "a_relative_writable_path_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { web = { image = "web:1", writable_paths = ["tmp"] } } } }
  }

  expect_failures = [var.services]
}

run "a_writable_root_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    services = { web = { containers = { web = { image = "web:1", writable_paths = ["/"] } } } }
  }

  expect_failures = [var.services]
}

run "a_cluster_name_that_starts_as_a_security_groups_id_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    cluster_name = "sg-shop"
  }

  expect_failures = [var.cluster_name]
}

run "a_cluster_name_that_starts_so_in_capitals_is_refused" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    cluster_name = "SG-shop"
  }

  expect_failures = [var.cluster_name]
}
