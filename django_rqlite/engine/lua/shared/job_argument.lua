-- What the caller said about a new job. first: where in ARGV its fields and values begin.
local function said(first, field)
  for i = first, #ARGV, 2 do
    if ARGV[i] == field then return ARGV[i + 1] end
  end
  return nil
end
