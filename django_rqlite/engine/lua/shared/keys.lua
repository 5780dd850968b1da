-- The keys below the prefix ARGV[1]. protocol/keys.py has the same keys and explains each.
local prefix = ARGV[1]

local function queues_key() return prefix .. 'queues' end
local function queue_key(queue) return prefix .. 'queue:' .. queue end
local function failed_mirror_key() return prefix .. 'queue:failed' end
local function unmirrored_key() return prefix .. 'x:unmirrored' end
local function started_key(queue) return prefix .. 'wip:' .. queue end
local function finished_key(queue) return prefix .. 'finished:' .. queue end
local function failed_key(queue) return prefix .. 'failed:' .. queue end
local function deferred_key(queue) return prefix .. 'deferred:' .. queue end
local function scheduled_key(queue) return prefix .. 'scheduled:' .. queue end
local function canceled_key(queue) return prefix .. 'canceled:' .. queue end
local function job_key(id) return prefix .. 'job:' .. id end
local function dependents_key(id) return prefix .. 'job:' .. id .. ':dependents' end
local function dependencies_key(id) return prefix .. 'job::' .. id .. ':dependencies' end
local function results_key(id) return prefix .. 'results:' .. id end
local function job_log_key(id) return prefix .. 'x:log:' .. id end
local function executions_key(id) return prefix .. 'executions:' .. id end
local function execution_key(id, run) return prefix .. 'execution:' .. id .. ':' .. run end
local function workers_key() return prefix .. 'workers' end
local function queue_workers_key(queue) return prefix .. 'workers:' .. queue end
local function worker_key(name) return prefix .. 'worker:' .. name end
local function cron_entry_key(name) return prefix .. 'x:cron:entry:' .. name end
local function groups_key() return prefix .. 'groups' end
local function group_key(name) return prefix .. 'group:' .. name end
local function activity_key(queue, hour) return prefix .. 'x:activity:' .. queue .. ':' .. hour end
local function unnotified_key() return prefix .. 'x:untold' end
local function scratch_key() return prefix .. 'x:scratch' end
local function unique_key(key) return prefix .. 'x:unique:' .. key end
local function intermediate_key(queue) return prefix .. 'queue:' .. queue .. ':intermediate' end
local function first_seen_key(queue, id) return intermediate_key(queue) .. ':first_seen:' .. id end
local function scheduled_channel_key(queue) return prefix .. 'x:scheduled:' .. queue end
local function suspended_key() return prefix .. 'suspended' end
local function paused_key(queue) return prefix .. 'x:paused:' .. queue end
local function suspension_channel_key() return prefix .. 'x:suspension' end
