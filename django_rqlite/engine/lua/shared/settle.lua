-- Ends an execution: what finish.lua, fail.lua and retry_or_repeat.lua have in common.
-- Needs: keys.lua, clock.lua
--@include execution
--@include outcome
--@include claim_next

-- kind: type of the entry in the stream of results. counter: the worker's counter of such outcomes.
-- first: where in ARGV the next claim is (claim_after_outcome). write(began): stores the outcome;
-- it is called only if the execution still holds the job.
-- Returns {verdict, claim as claim.lua returns it, or {}}. The verdict is 'stored'; 'repeated': an
-- earlier call, whose answer was lost, has stored it; or 'lost': the execution no longer holds the
-- job.
local function settle(kind, counter, first, write)
  local worker, id, queue, execution = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
  local verdict, began = 'lost', now_precise
  if holds(queue, id, execution) then
    verdict, began = 'stored', began_at(id, execution)
    write(began)
  elseif is_recorded(id, kind, execution) then
    verdict = 'repeated'
  else
    drop_if_job_is_gone(queue, id, execution)
  end
  local claim = claim_after_outcome(worker, first)
  update_worker(worker, execution, began, verdict == 'stored' and counter or nil)
  return {verdict, claim}
end
