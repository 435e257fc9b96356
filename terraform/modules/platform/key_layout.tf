# Partition keys as IAM patterns: which items a collection holds. Python writes the same layout in one module of keys,
# and a test compares the two. Ids hold no `#`, but IAM's `*` matches it: a collection excludes the look-alikes by
# `except`.
locals {
  key_patterns = {
    # memory
    user     = "T#*#U#*"     # facts, profile, observations
    agent    = "T#*#A#*"     # states
    day      = "T#*#A#*#E#*" # episodes of one agent and day
    event    = "T#*#EV#*"    # marks of processed events
    document = "T#*#D#*"
    catalog  = "T#*#COLD" # archived days

    # conversations; what waits for a user's facts is under the user's key too
    conversation = "T#*#C#*"
    connection   = "T#*#W#*"

    # tenants
    api_key    = "KEY#*"
    tenant     = "T#*"
    usage      = "T#*#USAGE"
    rate_limit = "T#*#RATE"
    settings   = "T#*#SETTINGS"
    erased     = "T#*#ERASED"
    job        = "T#*#JOB"

    # indexes
    unarchived  = "UNARCHIVED#*"
    uncompacted = "UNCOMPACTED#*"
  }

  collections = {
    memory = {
      facts = {
        keys   = [local.key_patterns.user]
        except = [local.key_patterns.agent]
      }
      episodes = {
        keys    = [local.key_patterns.day, local.key_patterns.event]
        indexes = { by_user = [local.key_patterns.user] }
      }
      # A fact and the mark on its event are written in one transaction, which needs one statement for both.
      extraction = {
        keys = [local.key_patterns.user, local.key_patterns.day, local.key_patterns.event]
      }
      # The archiver finds unarchived days by the index and marks them; a catalog entry waits there to be compacted.
      unarchived = {
        keys    = [local.key_patterns.day]
        indexes = { unarchived = [local.key_patterns.unarchived, local.key_patterns.uncompacted] }
      }
      catalog = {
        keys = [local.key_patterns.catalog]
        except = [
          local.key_patterns.agent,
          local.key_patterns.user,
          local.key_patterns.document,
          local.key_patterns.event,
        ]
      }
      # Every item of a user, for erasure.
      user_data = {
        keys = [
          local.key_patterns.user,
          local.key_patterns.agent,
          local.key_patterns.event,
          local.key_patterns.document,
        ]
        indexes = { by_user = [local.key_patterns.user] }
      }
      documents = {
        keys   = [local.key_patterns.document]
        except = [local.key_patterns.agent, local.key_patterns.user]
      }
      states = {
        keys   = [local.key_patterns.agent]
        except = [local.key_patterns.day]
      }
    }

    conversations = {
      conversations = {
        keys    = [local.key_patterns.conversation]
        indexes = { by_status = [local.key_patterns.tenant] }
      }
      unprocessed_messages = {
        keys = [local.key_patterns.user]
      }
      connections = {
        keys   = [local.key_patterns.connection]
        except = [local.key_patterns.conversation, local.key_patterns.user]
      }
      # A turn and the messages it leaves for extraction are written in one transaction, which needs one statement for
      # both.
      turns = {
        keys = [local.key_patterns.conversation, local.key_patterns.user]
      }
    }

    tenants = {
      api_keys = {
        keys = [local.key_patterns.api_key]
      }
      tenants = {
        keys = [local.key_patterns.tenant]
        except = [
          local.key_patterns.usage,
          local.key_patterns.erased,
          local.key_patterns.job,
          local.key_patterns.rate_limit,
          local.key_patterns.settings,
        ]
      }
      # Apart from the tenant, so that whoever changes settings can change no budget.
      settings = {
        keys = [local.key_patterns.settings]
      }
      # Apart from the tenant, so that a function that records usage can change neither a budget nor the erasure ledger.
      usage = {
        keys = [local.key_patterns.usage]
      }
      rate_limits = {
        keys = [local.key_patterns.rate_limit]
      }
      erasure_ledger = {
        keys = [local.key_patterns.erased]
      }
      erasures = {
        keys = [local.key_patterns.erased, local.key_patterns.job]
      }
      jobs = {
        keys = [local.key_patterns.job]
      }
    }

    idempotency = {
      records = {} # the whole table
    }
  }
}
