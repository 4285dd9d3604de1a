using System.CommandLine;
using System.CommandLine.Parsing;
using MLNet.PQCompression.Compute;
using MLNet.PQCompression.TorchSharp;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>What the work runs on.</summary>
internal enum BackendChoice
{
    /// <summary>torch on a GPU, managed without one: on a CPU the managed engine is faster.</summary>
    Auto,

    /// <summary>The engine that needs nothing but .NET.</summary>
    Managed,

    /// <summary>libtorch.</summary>
    Torch,
}

/// <summary>--backend and --device.</summary>
internal sealed class BackendArguments
{
    private readonly Option<BackendChoice> _backend = ChoiceOption.Create(
        "--backend", "What computes. managed: .NET on the CPU. torch: libtorch. auto: torch where --device or this machine has a GPU for it, else managed.", BackendChoice.Auto);

    private readonly Option<string?> _device = new("--device") { HelpName = "cpu|cuda|cuda:N", Description = "The device of torch; by itself it takes the first GPU, or the CPU where there is none." };

    public BackendArguments()
    {
        _device.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var name }])
                try
                {
                    TorchDevice.Parse(name);
                }
                catch (ArgumentException)
                {
                    result.AddError($"--device '{name}': expected cpu, cuda or cuda:N.");
                }
        });
    }

    /// <summary>Both of them.</summary>
    public IReadOnlyList<Option> All => [_backend, _device];

    /// <summary>Finds that the two do not go together.</summary>
    public void Validate(CommandResult result)
    {
        // What was written, and not values: one that is none is an error of its own, and asking for it here would throw.
        string? backend = Written(result, _backend), device = Written(result, _device);
        if (string.Equals(backend, nameof(BackendChoice.Managed), StringComparison.OrdinalIgnoreCase) && IsGpu(device))
            result.AddError($"--backend managed runs on the CPU; leave --device {device} out, or choose --backend torch.");
    }

    /// <summary>Makes what is asked for.</summary>
    /// <param name="arguments">What was parsed.</param>
    /// <param name="threads">Threads, or 0.</param>
    /// <param name="note">Told where something was done otherwise than asked.</param>
    /// <exception cref="TorchUnavailableException">libtorch or the GPU is not there.</exception>
    public IBackend Create(ParseResult arguments, int threads, Action<string> note)
    {
        (BackendChoice choice, string? device) = (arguments.GetValue(_backend), arguments.GetValue(_device));
        bool torch = choice == BackendChoice.Torch || (choice == BackendChoice.Auto && (IsGpu(device) || (device is null && TorchDevice.HasCuda)));
        return torch ? new TorchBackend(new() { Device = device, Threads = threads, Log = note }) : new ManagedBackend(threads);
    }

    private static string? Written(CommandResult result, Option option) => result.GetResult(option)?.Tokens is [{ Value: var value }] ? value : null;

    private static bool IsGpu(string? device) => device is not null and not "cpu";
}
