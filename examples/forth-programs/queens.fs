\ Places eight queens, and draws the first solution.
8 constant n
create rows n allot
variable solutions

: attacks ( column row other -- flag ) \ whether the queen in column `other` attacks that square
  rows over + @ rot          \ column other its-row row
  - abs                      \ column other distance
  dup 0= if drop 2drop -1 exit then
  >r - abs r> = ;

: safe ( column row -- flag )
  over 0 = if 2drop -1 exit then
  over 0 do 2dup i attacks if 2drop 0 unloop exit then loop
  2drop -1 ;

: draw ( -- ) n 0 do n 0 do rows j + @ i = if ." Q " else ." . " then loop cr loop ;

: place ( column -- )
  dup n = if drop 1 solutions +! solutions @ 1 = if draw then exit then
  n 0 do
    dup i safe if i over rows + ! dup 1 + recurse then
  loop drop ;

0 place
solutions @ . ." solutions" cr
