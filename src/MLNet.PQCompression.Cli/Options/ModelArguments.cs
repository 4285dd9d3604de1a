using System.CommandLine;
using System.Security.Cryptography;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>MODEL, --arch and what is said of the model's inputs.</summary>
internal sealed class ModelArguments
{
    private readonly Argument<string> _path = new("MODEL")
    {
        Description = "An ONNX model, a safetensors or PyTorch state dict, or a kill-the-bits checkpoint.",
    };

    private readonly Option<string?> _architecture = new("--arch")
    {
        HelpName = "NAME",
        Description = "The architecture of a state dict, such as resnet18 or resnext50_32x4d; found out from names and shapes where it is left out.",
    };

    private readonly InputOptions _inputs = new();

    public IReadOnlyList<Symbol> All => [_path, _architecture, .. _inputs.All];

    public string Path(ParseResult arguments) => arguments.GetRequiredValue(_path);

    public ModelGraph Load(ParseResult arguments) => Load(Path(arguments), arguments.GetValue(_architecture), _inputs.Read(arguments));

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static ModelGraph Load(string path, string? architecture, OnnxInputs? inputs = null) => File.Exists(path)
        ? ModelFile.Load(path, architecture, inputs)
        : throw new FileNotFoundException($"There is no model file '{path}'.", path);

    /// <summary>SHA-256 of a file, in hexadecimal.</summary>
    public static string Sha256(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
