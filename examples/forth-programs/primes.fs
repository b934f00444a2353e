\ The sieve of Eratosthenes, and the time that it took.
20000 constant limit
create flags limit allot

: clear ( -- ) limit 0 do 1 flags i + ! loop ;
: strike ( prime -- ) dup dup * begin dup limit < while 0 over flags + ! over + repeat 2drop ;
: sieve ( -- ) clear 142 2 do flags i + @ if i strike then loop ;
: count-primes ( -- n ) 0 limit 2 do flags i + @ + loop ;
: show ( n -- ) 2 swap begin dup while over flags + @ if over 6 .r 1 - then swap 1 + swap repeat 2drop cr ;

ms sieve ms swap -
." The first primes: " 12 show
." Primes below " limit . ." : " count-primes . cr
drop
