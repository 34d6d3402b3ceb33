locals {
  # One rule a port and range, under keys that stay when others come or go.
  ingress = merge([
    for name, service in var.traffic : {
      for pair in setproduct(toset(service.ports), toset(service.allowed_cidrs)) :
      "${name} ${pair[0]} ${pair[1]}" => { service = name, port = pair[0], cidr = pair[1] }
    }
  ]...)

  egress = merge([
    for name, service in var.traffic : {
      for port in toset(service.egress_ports) : "${name} ${port}" => { service = name, port = port }
    }
  ]...)
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:Flow logs cost by the gigabyte and tell nothing that ecs-status needs; add an aws_flow_log where a policy asks for one.
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

# Without any rule: nothing that forgets to name a security group can talk.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-default-unused" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

# Public subnets alone: a NAT gateway would cost more than the services that it is for. Nothing gets a
# public address by being here; Fargate tasks ask for theirs.
resource "aws_subnet" "public" {
  for_each = { for index, zone in var.zones : zone => index }

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 4, each.value)

  tags = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_security_group" "service" {
  #checkov:skip=CKV2_AWS_5:It is attached by the fargate module, whose services take the ids; checkov sees each module alone.
  for_each = var.traffic

  name        = "${var.name}-${each.key}"
  description = "Tasks of the ECS service ${each.key} in ${var.name}"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "service" {
  for_each = local.ingress

  security_group_id = aws_security_group.service[each.value.service].id
  description       = "Port ${each.value.port} of ${each.value.service}"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}

resource "aws_vpc_security_group_egress_rule" "service" {
  for_each = local.egress

  security_group_id = aws_security_group.service[each.value.service].id
  description       = "Port ${each.value.port} anywhere, for images, logs and the like"
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = "0.0.0.0/0"
}
