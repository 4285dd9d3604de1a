return await MLNet.PQCompression.Cli.Tool.RunAsync(args, Console.Out, Console.Error).ConfigureAwait(false);
