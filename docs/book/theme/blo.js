// Colors for programs in blo. `cargo xtask docs` writes the words.
(() => {
  // begin words
  const words = {
    keywords: ["and","by","corrupt","data","dataset","else","episodes","expect","fn","for","if","import","in","known","let","lower","maximize","method","metric","minimize","not","option","or","param","problem","regularize","set","split","start","subject","then","upper","var"],
    constants: ["false","true","inf","pi"],
    functions: ["abs","accuracy","argmax","atan","avgpool","batchnorm","blocks","ceil","cols","conv2d","cos","cosh","dense","diag","dist","dot","erf","err","exp","eye","f1","fill","floor","gelu","hcat","huber","inv","log","log1p","logdet","logistic","logsumexp","max","maxpool","mcp","mean","min","mod","mse","multiplier","norm0","norm1","norm2","norminf","normq","normsq","nuclear","ones","pow","precision","recall","relu","reshape","round","rows","scad","sigmoid","sign","silu","sin","sinh","slope","softmax","softplus","solve","sqrt","square","standardize","stop","sum","tan","tanh","trace","tv1d","vcat","violation","xent","zeros","csv","glorot","he","idx","jsonl","libsvm","normal","npy","npz","rademacher","tsv","uniform","affine","ball1","ball2","ballinf","halfspace","psd","simplex","soc"],
  };
  // end words
  const word = (list) => list.join(" ");
  hljs.registerLanguage("blo", () => ({
    name: "blo",
    keywords: { keyword: word(words.keywords), literal: word(words.constants), built_in: word(words.functions) },
    contains: [
      hljs.COMMENT("#", "$"),
      hljs.QUOTE_STRING_MODE,
      { className: "number", begin: "\\b\\d+(\\.\\d+)?([eE][-+]?\\d+)?" },
    ],
  }));
  for (const block of document.querySelectorAll("code.language-blo")) hljs.highlightBlock(block);
})();
