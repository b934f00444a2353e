\ The Mandelbrot set in fixed-point numbers, 12 bits after the point.
: f* ( a b -- a*b ) * 2048 + 4096 / ;
variable re variable im variable x variable y

: step ( -- )
  x @ dup f* y @ dup f* - re @ +
  x @ y @ f* 2 * im @ + y ! x ! ;
: outside ( -- flag ) x @ dup f* y @ dup f* + 16384 > ;
: iterations ( -- n ) 0 x ! 0 y ! 60 0 do outside if i unloop exit then step loop 60 ;
: shade ( n -- ) dup 59 > if drop ." #" else dup 12 > if drop ." +" else dup 6 > if drop ." :" else 3 > if ." ." else space then then then then ;
: picture ( -- ) 24 0 do i 11 - 420 * im ! 76 0 do i 160 * 8900 - re ! iterations shade loop cr loop ;

picture
