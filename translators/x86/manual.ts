/**
 * The instructions that the manual has for user programs (Intel SDM volume 2, in the groups of volume 1, chapter 5), by the
 * CPUID feature that announces them. The coverage page compares the tables of rows with these lists.
 */

export interface ManualGroup {
  readonly title: string;
  /** The feature that rows of this group name; `''`: none of the x87 and vector features. */
  readonly feature: string;
  readonly mnemonics: string;
}

/** Groups that are implemented. */
// biome-ignore format: as lists
export const manualGroups: readonly ManualGroup[] = [
  { title: 'Data transfer', feature: '', mnemonics: `
    mov cmovcc xchg bswap xadd cmpxchg cmpxchg8b cmpxchg16b push pop pusha pushad popa popad
    cwd cdq cqo cbw cwde cdqe movsx movzx movsxd movbe` },
  { title: 'Binary arithmetic', feature: '', mnemonics: `
    adc add cmp dec div idiv imul inc mul neg sbb sub adcx adox` },
  { title: 'Decimal arithmetic', feature: '', mnemonics: 'daa das aaa aas aam aad' },
  { title: 'Logic, shifts, bits', feature: '', mnemonics: `
    and or xor not sar shr shl sal shrd shld ror rol rcr rcl bt bts btr btc bsf bsr setcc test
    popcnt lzcnt tzcnt` },
  { title: 'Control transfer', feature: '', mnemonics: `
    jmp jcc jcxz jecxz jrcxz loop loope loopne call ret retf iret iretd iretq int int1 int3 into bound enter leave callf jmpf` },
  { title: 'Strings', feature: '', mnemonics: `
    movs cmps scas lods stos ins outs` },
  { title: 'Flags', feature: '', mnemonics: `
    stc clc cmc cld std lahf sahf pushf pushfd pushfq popf popfd popfq sti cli` },
  { title: 'Segments, addresses, system, others', feature: '', mnemonics: `
    lds les lfs lgs lss lea nop ud0 ud1 ud2 xlatb salc fwait cpuid pause rdtsc rdtscp rdpmc rdrand rdseed rdpid
    in out hlt syscall sysenter arpl verr verw lar lsl sldt str sgdt sidt smsw
    prefetch prefetchw prefetchwt1 clflush clflushopt clwb cldemote
    rdfsbase rdgsbase wrfsbase wrgsbase endbr32 endbr64` },
  { title: 'For the system alone, refused as the processor refuses them to programs', feature: '', mnemonics: `
    lgdt lidt lldt ltr lmsw clts invlpg invd wbinvd rdmsr wrmsr sysret sysexit rsm` },
  { title: 'x87 FPU', feature: 'fpu', mnemonics: `
    fld fst fstp fild fist fistp fbld fbstp fxch fcmovb fcmove fcmovbe fcmovu fcmovnb fcmovne fcmovnbe fcmovnu
    fadd faddp fiadd fsub fsubp fisub fsubr fsubrp fisubr fmul fmulp fimul fdiv fdivp fidiv fdivr fdivrp fidivr
    fprem fprem1 fabs fchs frndint fscale fsqrt fxtract
    fcom fcomp fcompp fucom fucomp fucompp ficom ficomp fcomi fucomi fcomip fucomip ftst fxam
    fsin fcos fsincos fptan fpatan f2xm1 fyl2x fyl2xp1 fld1 fldz fldpi fldl2e fldln2 fldl2t fldlg2
    fincstp fdecstp ffree ffreep fninit fnclex fnstcw fldcw fnstenv fldenv fnsave frstor fnstsw fnop fneni fndisi fsetpm fisttp` },
  { title: 'Saving x87 and SSE state', feature: 'fxsr', mnemonics: 'fxsave fxrstor fxsave64 fxrstor64' },
  { title: 'MMX', feature: 'mmx', mnemonics: `
    movd movq packsswb packssdw packuswb punpckhbw punpckhwd punpckhdq punpcklbw punpcklwd punpckldq
    paddb paddw paddd paddsb paddsw paddusb paddusw psubb psubw psubd psubsb psubsw psubusb psubusw pmulhw pmullw pmaddwd
    pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw pcmpgtd pand pandn por pxor
    psllw pslld psllq psrlw psrld psrlq psraw psrad emms` },
  { title: 'SSE', feature: 'sse', mnemonics: `
    movaps movups movhps movhlps movlps movlhps movmskps movss addps addss subps subss mulps mulss divps divss
    rcpps rcpss sqrtps sqrtss rsqrtps rsqrtss maxps maxss minps minss cmpps cmpss comiss ucomiss
    andps andnps orps xorps shufps unpckhps unpcklps cvtpi2ps cvtsi2ss cvtps2pi cvttps2pi cvtss2si cvttss2si
    ldmxcsr stmxcsr pavgb pavgw pextrw pinsrw pmaxub pmaxsw pminub pminsw pmovmskb pmulhuw psadbw pshufw
    maskmovq movntq movntps prefetcht0 prefetcht1 prefetcht2 prefetchnta sfence` },
  { title: 'SSE2', feature: 'sse2', mnemonics: `
    movapd movupd movhpd movlpd movmskpd movsd addpd addsd subpd subsd mulpd mulsd divpd divsd sqrtpd sqrtsd
    maxpd maxsd minpd minsd andpd andnpd orpd xorpd cmppd cmpsd comisd ucomisd shufpd unpckhpd unpcklpd
    cvtpd2pi cvttpd2pi cvtpi2pd cvtpd2dq cvttpd2dq cvtdq2pd cvtps2pd cvtpd2ps cvtss2sd cvtsd2ss cvtsd2si cvttsd2si cvtsi2sd
    cvtdq2ps cvtps2dq cvttps2dq movdqa movdqu movq2dq movdq2q movd movq pmuludq paddq psubq
    pshuflw pshufhw pshufd pslldq psrldq punpckhqdq punpcklqdq
    packsswb packssdw packuswb punpckhbw punpckhwd punpckhdq punpcklbw punpcklwd punpckldq
    paddb paddw paddd paddsb paddsw paddusb paddusw psubb psubw psubd psubsb psubsw psubusb psubusw pmulhw pmullw pmaddwd
    pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw pcmpgtd pand pandn por pxor
    psllw pslld psllq psrlw psrld psrlq psraw psrad
    pavgb pavgw pextrw pinsrw pmaxub pmaxsw pminub pminsw pmovmskb pmulhuw psadbw
    maskmovdqu movntpd movntdq movnti lfence mfence` },
  { title: 'SSE3', feature: 'sse3', mnemonics: `
    lddqu addsubps addsubpd haddps hsubps haddpd hsubpd movshdup movsldup movddup` },
  { title: 'SSSE3', feature: 'ssse3', mnemonics: `
    phaddw phaddsw phaddd phsubw phsubsw phsubd pabsb pabsw pabsd pmaddubsw pmulhrsw pshufb psignb psignw psignd palignr` },
  { title: 'SSE4.1', feature: 'sse4_1', mnemonics: `
    pmulld pmuldq dppd dpps movntdqa blendpd blendps blendvpd blendvps pblendvb pblendw
    pminuw pminud pminsb pminsd pmaxuw pmaxud pmaxsb pmaxsd roundps roundpd roundss roundsd
    extractps insertps pinsrb pinsrd pinsrq pextrb pextrw pextrd pextrq
    pmovsxbw pmovzxbw pmovsxbd pmovzxbd pmovsxwd pmovzxwd pmovsxbq pmovzxbq pmovsxwq pmovzxwq pmovsxdq pmovzxdq
    mpsadbw phminposuw ptest pcmpeqq packusdw` },
  { title: 'SSE4.2', feature: 'sse4_2', mnemonics: 'pcmpestri pcmpestrm pcmpistri pcmpistrm pcmpgtq crc32' },
  { title: 'AES-NI', feature: 'aes', mnemonics: 'aesdec aesdeclast aesenc aesenclast aesimc aeskeygenassist' },
  { title: 'PCLMULQDQ', feature: 'pclmul', mnemonics: 'pclmulqdq' },
];

/** Groups that CPUID denies and that end in SIGILL. */
// biome-ignore format: one group per line
export const absentGroups: readonly (readonly [title: string, instructions: string, reason: string])[] = [
  ['AVX, AVX2, AVX-VNNI, FMA, F16C, VAES, VPCLMULQDQ', 'v… in VEX encodings', 'later than x86-64-v2'],
  ['AVX-512 and AVX10', 'v…, k… in EVEX and VEX encodings', 'later than x86-64-v2'],
  ['BMI1, BMI2', 'andn bextr blsi blsmsk blsr bzhi mulx pdep pext rorx sarx shlx shrx', 'VEX encodings, later than x86-64-v2'],
  ['AMX', 'ldtilecfg sttilecfg tdp… tile…', 'VEX encodings; needs permission of the system'],
  ['SHA, SM3, SM4, GFNI', 'sha1… sha256… sha512… vsm3… vsm4… gf2p8…', 'later than x86-64-v2'],
  ['XSAVE', 'xgetbv xsave xsavec xsaveopt xrstor', 'only needed with AVX'],
  ['Transactional memory', 'xbegin xend xabort xtest xacquire xrelease', 'withdrawn by Intel; the two prefixes are ignored, as on processors without it'],
  ['Shadow stacks (CET)', 'rdssp incssp saveprevssp rstorssp wrss', 'without shadow stacks; rdssp is a no-operation, as on processors without it'],
  ['Memory protection extensions', 'bndmk bndcl bndcu bndcn bndmov bndldx bndstx', 'withdrawn by Intel; no-operations, as on processors without it'],
  ['Protection keys', 'rdpkru wrpkru', 'CPUID denies it'],
  ['Waiting', 'monitor mwait umonitor umwait tpause', 'privileged, or CPUID denies it'],
  ['Direct stores, enqueueing', 'movdiri movdir64b enqcmd', 'CPUID denies it'],
  ['Key Locker', 'aesdec128kl aesdec256kl aesenc128kl aesenc256kl aesdecwide… aesencwide… encodekey128 encodekey256', 'CPUID denies it'],
  ['User interrupts', 'clui stui testui senduipi uiret', 'CPUID denies it'],
  ['Others', 'serialize ptwrite hreset getsec enclu rao…', 'CPUID denies them'],
  ["AMD's 3DNow!, SSE4a, XOP, FMA4, TBM", 'pf… pfrcp… extrq insertq movntsd movntss and the XOP map', 'not on Intel processors, withdrawn or not part of x86-64-v2'],
];
