-- The value of a field of a new job, or nil. first: where in ARGV its fields and values begin.
local function job_argument(first, field)
  for i = first, #ARGV, 2 do
    if ARGV[i] == field then return ARGV[i + 1] end
  end
  return nil
end
